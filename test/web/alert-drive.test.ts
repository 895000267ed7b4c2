import { createHmac } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type LocalProcess, startLocal } from "../local-process.ts";
import { buildDashboard, findChromium, launch, openPage, screenshot, violations } from "./browser.ts";
import { desk } from "./visits.ts";

const executable = findChromium();

/** What a webhook's receiver was sent. */
type Received = { headers: IncomingMessage["headers"]; body: string };

describe.skipIf(executable === null)("from a chart to a rule that tells, on the real system", () => {
  const servers: Server[] = [];
  const received: Received[] = [];
  let folder: string;
  let local: LocalProcess;
  let browser: Browser;
  let bundle: Awaited<ReturnType<typeof buildDashboard>>;
  let url: string;
  let hook: string;

  async function listen(server: Server): Promise<string> {
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  beforeAll(async () => {
    bundle = await buildDashboard();
    browser = await launch(executable ?? "");
    folder = await mkdtemp(join(tmpdir(), "iot-lstm-drive-"));
    local = await startLocal({ DATA_DIR: folder, DEMO_SPEED: "120", ALERT_PRIVATE_HOSTS: "127.0.0.1" });
    url = await listen(beforeApi(bundle.dist, local.url));
    hook = await listen(
      createServer(async (request, response) => {
        received.push({ headers: request.headers, body: await bodyOf(request) });
        response.writeHead(204).end();
      }),
    );
  });
  afterAll(async () => {
    await browser?.close();
    for (const server of servers) server.close();
    await local?.stop("SIGTERM");
    bundle?.remove();
    await rm(folder, { recursive: true, force: true });
  });

  test("ends with a signed notice at the receiver", async () => {
    const { page, complaints } = await openPage(browser, desk);
    await page.goto(`${url}/sensors/room3`);
    // The steps that docs/alerts.md describes, one line each.
    await page.getByRole("link", { name: "Alert on this…" }).first().click();
    await page.getByText("it would have fired").waitFor();
    // The ledger is minutes old: what the models would have said over the week before it.
    await page.getByRole("combobox", { name: "over" }).selectOption("backtest");
    await page.getByText(/the models that serve now would have said|still being computed/).waitFor();
    await expect
      .poll(async () => {
        if ((await page.getByText("still being computed").count()) > 0) {
          await page.getByRole("button", { name: "Rehearse again" }).click();
        }
        return page.getByText("the models that serve now would have said").count();
      })
      .toBe(1);
    await page.getByRole("radio", { name: /^Chance 50 %, limit as it is/ }).click();
    await page.getByRole("button", { name: "New channel…" }).click();
    await page.getByLabel("Channel's name").fill("ops");
    await page.getByLabel("URL").fill(`${hook}/alerts`);
    const secret = await page.getByLabel("Key that signs").inputValue();
    await page.getByRole("button", { name: "Add the channel" }).click();
    await page.getByRole("button", { name: "Test ops" }).click();
    await page.getByText(/arrived in .*204/).waitFor();
    expect(await page.getByLabel("Chance at least, %").inputValue()).toBe("50");
    expect(await violations(page)).toEqual([]);
    await screenshot(page, "drive-rule");
    // A limit that the room is beyond already, so that the next cycle fires.
    await page.getByLabel("Above, °C").fill("10");
    await page.getByLabel("Name", { exact: true }).fill("driven");
    await page.getByRole("button", { name: "Make the rule" }).click();
    await page.getByRole("heading", { name: "Firing now" }).waitFor();

    const fired = () => received.map(({ body }) => JSON.parse(body)).flatMap(({ notices }) => notices ?? []);
    await expect.poll(() => fired().map(({ kind, rule }) => `${kind} ${rule.name}`)).toContain("fired driven");
    expect(received.every((one) => isGenuine(one, secret))).toBe(true);
    expect(fired().find(({ kind }) => kind === "fired")).toMatchObject({
      sensor: { sensorId: "room3" },
      text: expect.stringContaining("temperature above 10 °C"),
    });
    await page.goto(`${url}/alerts`);
    await page.getByLabel("Note on driven, room3").fill("seen");
    await page.getByText("What made it fire").first().click();
    await page.getByRole("img", { name: "room3, temperature above 10 °C" }).first().waitFor();
    await screenshot(page, "drive-alerts");
    expect(await violations(page)).toEqual([]);
    await page.goto(`${url}/sensors/room3`);
    await page.getByRole("listitem").filter({ hasText: "driven" }).getByText("firing").waitFor();
    // On a busy machine the backtest is asked for again, which the browser writes down.
    expect(complaints.filter((text) => !text.includes("503"))).toEqual([]);
    await page.close();
  });
});

const contentTypes: Record<string, string> = { ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };

/** The dashboard of this checkout and the API behind one origin, as the system itself serves them. */
function beforeApi(dist: string, api: string): Server {
  return createServer(async (request, response) => {
    const path = request.url ?? "/";
    if (path.startsWith("/v1/")) {
      const method = request.method ?? "GET";
      const sent = await bodyOf(request);
      const headers = { accept: "application/json", ...(sent === "" ? {} : { "content-type": "application/json" }) };
      const answer = await fetch(api + path, { method, headers, ...(sent === "" ? {} : { body: sent }) });
      response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "" });
      response.end(await answer.text());
      return;
    }
    const file = join(dist, path);
    const found = extname(path) !== "" && existsSync(file) ? file : join(dist, "index.html");
    response.writeHead(200, { "content-type": contentTypes[extname(found)] ?? "text/html; charset=utf-8" });
    response.end(readFileSync(found));
  });
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

/** As docs/alerts.md says that a receiver is to check. */
function isGenuine({ headers, body }: Received, secret: string): boolean {
  const signed = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`;
  const expected = createHmac("sha256", secret).update(signed).digest("base64");
  return headers["webhook-signature"] === `v1,${expected}`;
}
