import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isApiPath } from "../../../functions/api/app.ts";
import { createSite, listen } from "../../../functions/machine/server.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "iot-lstm-web-"));
  mkdirSync(join(folder, "assets"));
  writeFileSync(join(folder, "index.html"), "<title>Fleet</title>");
  writeFileSync(join(folder, "assets/index-1a2b.js"), "start()");
  writeFileSync(join(folder, "assets/index-1a2b.css"), "body{}");
});
afterAll(() => rmSync(folder, { recursive: true }));

const api = async (request: Request) => {
  const path = new URL(request.url).pathname;
  return Response.json({ path }, { status: isApiPath(path) ? 200 : 404 });
};
const rules = { host: "127.0.0.1", names: [] };
const get = (path: string) => createSite(api, folder, rules).request(path, { headers: { Host: "localhost" } });

describe("site", () => {
  it.each(["/v1/sensors", "/healthz", "/readyz", "/openapi.json"])("leaves %s to the API", async (path) => {
    expect(await (await get(path)).json()).toEqual({ path });
  });

  it.each([
    "/",
    "/sensors/7",
    "/sensors/attic.north",
    "/models?sensor=7",
    "/models/m.1",
    "/alerts",
    "/alerts/rules/r1",
    "/operations",
  ])("answers the dashboard's page at %s, never from a cache", async (path) => {
    const response = await get(path);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toMatch(/^text\/html/);
    expect(response.headers.get("cache-control")).toBe("no-cache");
    expect(response.headers.get("content-security-policy")).toContain("default-src 'self'");
    expect(await response.text()).toContain("Fleet");
  });

  it.each([
    ["js", "text/javascript"],
    ["css", "text/css"],
  ])("answers built .%s files with their type, to be kept for ever", async (extension, type) => {
    const response = await get(`/assets/index-1a2b.${extension}`);
    expect(response.headers.get("content-type")).toContain(type);
    expect(response.headers.get("cache-control")).toContain("immutable");
  });

  it.each([
    "/assets/index-gone.js",
    "/assets/x",
    "/assets/",
    "/admin",
    "/sensors/a/b",
    "/../package.json",
    "/%2e%2e/secret.txt",
  ])("leaves %s to the API's 404, which is never kept", async (path) => {
    const response = await get(path);
    expect(response.status).toBe(404);
    expect(response.headers.get("content-type")).toContain("json");
    expect(response.headers.get("cache-control")).toBe("no-cache");
  });

  it("lends a browser's devices to nobody", async () => {
    expect((await get("/")).headers.get("permissions-policy")).toContain("camera=()");
  });

  it("says how to build a dashboard that is not there", async () => {
    const response = await createSite(api, join(folder, "none"), rules).request("/", {
      headers: { Host: "localhost" },
    });
    expect(response.status).toBe(404);
    expect(await response.text()).toContain("npm run build:web");
  });
});

describe("frames", () => {
  const policyOf = async (path: string, origins: string[]) => {
    const { headers } = await createSite(api, folder, rules, origins).request(path, { headers: { Host: "localhost" } });
    const ancestors = /frame-ancestors [^;]*/.exec(headers.get("Content-Security-Policy") ?? "")?.[0];
    return [ancestors, headers.get("X-Frame-Options")];
  };

  it("hold a shared chart for the sites that are named, and nothing else for anybody", async () => {
    const origins = ["https://intranet.example.com"];
    expect(await policyOf("/embed", origins)).toEqual(["frame-ancestors https://intranet.example.com", null]);
    expect(await policyOf("/", origins)).toEqual(["frame-ancestors 'none'", "SAMEORIGIN"]);
    expect(await policyOf("/sensors/7", origins)).toEqual(["frame-ancestors 'none'", "SAMEORIGIN"]);
    expect(await policyOf("/embed", [])).toEqual(["frame-ancestors 'none'", "SAMEORIGIN"]);
  });
});

describe("listen", () => {
  it("takes a free port for 0 and answers at its URL", async () => {
    const server = await listen(createSite(api, folder, rules).fetch, { host: "127.0.0.1", port: 0 });
    expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
    await server.close();
    await expect(fetch(`${server.url}/healthz`)).rejects.toThrow();
  });

  it("says what to change when the port is taken", async () => {
    const server = await listen(api, { host: "127.0.0.1", port: 0 });
    const port = Number(new URL(server.url).port);
    await expect(listen(api, { host: "127.0.0.1", port })).rejects.toThrow(/somebody listens there already; set PORT/);
    await server.close();
  });
});
