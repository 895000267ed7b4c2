import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { AppError } from "../../../core/errors.ts";
import { createLog } from "../../../functions/adapters/log.ts";

async function logInto(isPretty = false) {
  const lines: string[] = [];
  const destination = new PassThrough().on("data", (line: Buffer) => lines.push(String(line)));
  return { lines, log: await createLog({ level: "info", isPretty, destination }) };
}

describe("log", () => {
  it("writes one JSON line an event", async () => {
    const { lines, log } = await logInto();
    log.info("cycle.done", { sensors: 9, slot: new Date("2016-05-01T00:00:00Z") });
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0]!)).toMatchObject({ level: "info", event: "cycle.done", sensors: 9 });
    expect(JSON.parse(lines[0]!).slot).toBe("2016-05-01T00:00:00.000Z");
  });

  it("keeps the causes of an error", async () => {
    const { lines, log } = await logInto();
    log.error("cycle.failed", { error: new AppError("timeout", "too slow", { cause: new Error("socket closed") }) });
    expect(JSON.parse(lines[0]!).error).toMatchObject({ code: "timeout", cause: { message: "socket closed" } });
  });

  it("keeps what was thrown though it is no Error", async () => {
    const { lines, log } = await logInto();
    log.error("queue.error", { error: { message: "gone", queue: "forecast" } });
    log.error("queue.error", { error: "gone" });
    expect(lines.map((line) => JSON.parse(line).error)).toEqual([{ message: "gone", queue: "forecast" }, "gone"]);
  });

  it("keeps secrets out: named fields, and passwords inside URLs and messages", async () => {
    const { lines, log } = await logInto();
    const url = "postgres://app:hunter2@db/x";
    log.warn("database.failed", {
      password: "hunter2",
      pool: { connectionString: url },
      error: new Error(`no ${url}`),
      url,
    });
    expect(lines.join()).not.toContain("hunter2");
    expect(lines.join()).toContain("postgres://app:[redacted]@db/x");
  });

  it.each([
    "postgres://app:p/hunter2@db/x",
    "postgres://:hunter2@db/x",
    "postgres://app:a:hunter2@b@db/x",
    "postgres://app:hunter2 with blank@db/x",
    "postgresql://db/x?user=app&password=hunter2&sslmode=require",
    "host=db user=app password=hunter2 dbname=x",
    "host=db password='hunter2 or so' dbname=x",
    "PGPASSWORD=hunter2 psql",
    "https://app.example/hook?token=hunter2",
    "https://app.example/hook?api_key=hunter2",
    "Authorization: Bearer hunter2hunter2",
    "authorization: Basic hunter2hunter2==",
    "API_KEY=hunter2",
    '{"apiKey":"hunter2"}',
    "ilp_0123456789ab_hunter2hunter2hunter2hunter2",
    "https://hooks.example/hunter2?X-Amz-Signature=hunter2".replace("/hunter2?", "/?"),
  ])("keeps the secret out of %j, wherever it stands", async (text) => {
    for (const isPretty of [false, true]) {
      const { lines, log } = await logInto(isPretty);
      log.warn("failed", {
        message: text,
        error: new Error(`connect ${text}`, { cause: new Error(text) }),
        at: [text],
      });
      expect(lines.join("")).not.toContain("hunter2");
      expect(lines.join("")).toContain("[redacted]");
    }
  });

  it("keeps out the fields that are named like a secret, in any spelling and depth", async () => {
    const { lines, log } = await logInto();
    const deep = { a: { b: { c: { d: { Password: "hunter2" } } } }, list: [{ api_key: "hunter2" }] };
    log.warn("failed", {
      ...deep,
      apiKey: "hunter2",
      "x-api-key": "hunter2",
      Cookie: "a=hunter2",
      clientSecret: "hunter2",
    });
    expect(lines.join("")).not.toContain("hunter2");
    expect(JSON.parse(lines[0]!).event).toBe("failed");
  });

  it("is readable text on a terminal", async () => {
    const { lines, log } = await logInto(true);
    log.info("cycle.done", { sensors: 9 });
    expect(lines.join("")).toMatch(/INFO.*cycle\.done.*"sensors":9/);
  });
});
