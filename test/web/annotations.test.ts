import { describe, expect, test } from "vitest";
import { changeOf, draftOf, draftOfSpan, requestOf, shownOf } from "../../web/sensor/annotation-draft.ts";
import { findChromium, screenshot, violations } from "./browser.ts";
import { dashboardVisits, desk } from "./visits.ts";

const executable = findChromium();
const phone = { size: "phone", theme: "dark" } as const;
const isWider = "document.documentElement.scrollWidth > innerWidth";
const stepMs = 600_000;
const at = (text: string) => Date.parse(`2016-05-04T${text}:00Z`);
const note = {
  ...{ annotationId: "note-1", sensorId: "room3", target: null, kind: "outage" as const, text: "plug pulled" },
  ...{ from: "2016-05-04T09:00:31.000Z", to: "2016-05-04T10:00:31.000Z", disturbs: true, removedAt: null },
  ...{ createdAt: "2016-05-04T11:00:00.000Z", createdBy: "ann" },
  ...{ changedAt: "2016-05-04T11:00:00.000Z", changedBy: "ann" },
};

describe("an annotation as it is typed", () => {
  test("goes to the steps around what was marked", () => {
    const draft = draftOfSpan({ from: at("09:03"), to: at("10:01") }, stepMs, "utc");
    expect(draft).toMatchObject({ from: "2016-05-04T09:00", to: "2016-05-04T10:10" });
    const made = requestOf("room3", { ...draft, text: " airing " }, "utc");
    expect(made).toEqual({
      ok: true,
      body: {
        ...{ sensorId: "room3", kind: "outage", target: null, text: "airing" },
        ...{ from: "2016-05-04T09:00:00.000Z", to: "2016-05-04T10:10:00.000Z" },
      },
    });
  });

  test("says what is missing, and that an end is later than a beginning", () => {
    const draft = { ...draftOfSpan({ from: at("09:00"), to: at("10:00") }, stepMs, "utc"), text: "x" };
    const said = (changed: Partial<typeof draft>) => {
      const made = requestOf("room3", { ...draft, ...changed }, "utc");
      return made.ok ? null : made.problem;
    };
    expect(said({})).toBeNull();
    expect(said({ to: "" })).toBeNull();
    expect(said({ from: "" })).toMatch(/^From/);
    expect(said({ to: "2016-05-04T09:00" })).toMatch(/^To/);
    expect(said({ text: " " })).toMatch(/^Text/);
  });

  test("keeps the seconds of what was not touched", () => {
    const before = draftOf(note, "utc");
    expect(changeOf(before, { ...before, text: "pulled" }, "utc")).toEqual({ ok: true, body: { text: "pulled" } });
    expect(changeOf(before, { ...before, to: "" }, "utc")).toEqual({ ok: true, body: { to: null } });
  });

  test("is shown where it touches the span, on the charts that it is of", () => {
    const span = { from: at("10:00"), to: at("12:00") };
    const of = (changed: Partial<typeof note> & { to?: string | null }) =>
      shownOf([{ ...note, ...changed } as typeof note], "temperature", span).length;
    expect([of({}), of({ to: "2016-05-04T10:00:00.000Z" }), of({ to: null } as never)]).toEqual([1, 0, 1]);
    expect(of({ target: "humidity" } as never)).toBe(0);
  });
});

describe.skipIf(executable === null)("annotations in a browser", () => {
  const { visit } = dashboardVisits(executable);

  test.each([desk, phone])("are marked by drag, edited, taken back and brought back, $size $theme", async (view) => {
    const { page, complaints, mock } = await visit("/sensors/room3", view);
    await page.getByRole("button", { name: "Mark" }).click();
    const plot = page.locator(".u-over").first();
    await plot.scrollIntoViewIfNeeded();
    const box = (await plot.boundingBox())!;
    await page.mouse.move(box.x + box.width * 0.2, box.y + box.height / 2);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.4, box.y + box.height / 2, { steps: 4 });
    await page.mouse.up();
    const form = page.getByRole("form", { name: "A new annotation" });
    await form.waitFor();
    // The chart did not zoom, and the button is not pressed any more.
    expect(new URL(page.url()).search).toBe("");
    await page.getByRole("button", { name: "Mark", pressed: false }).waitFor();
    await form.getByLabel("What it was").selectOption("open window");
    await form.getByRole("button", { name: "Save" }).click();
    await page.getByText("say what happened").waitFor();
    await form.getByLabel("Text").fill("airing");
    await form.getByRole("button", { name: "Save" }).click();
    await page.getByRole("button", { name: /^Edit open window/ }).waitFor();
    const [made] = mock.state.annotations;
    expect(made).toMatchObject({ sensorId: "room3", kind: "open window", text: "airing", target: null });
    const minutes = (Date.parse(made!.to!) - Date.parse(made!.from)) / 60_000;
    expect(minutes % 10).toBe(0);
    expect(minutes).toBeGreaterThan(60);
    await page
      .getByText(/with them the mean absolute error is/)
      .first()
      .waitFor();
    await page
      .getByText(/Annotated: open window.*: airing/)
      .first()
      .waitFor();
    await screenshot(page, `annotations-${view.size}-${view.theme}`);
    expect(await violations(page)).toEqual([]);
    expect(await page.evaluate<boolean>(isWider)).toBe(false);

    await page.getByRole("button", { name: /^Edit open window/ }).click();
    await page.getByRole("form", { name: "Edit an annotation" }).getByLabel("Text").fill("airing out");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("button", { name: /^Take back .*airing out/ }).click();
    await page.getByText(/Taken back: open window/).waitFor();
    expect(mock.state.annotations[0]!.removedAt).not.toBeNull();
    await page.getByRole("button", { name: "Undo" }).click();
    await page.getByRole("button", { name: /^Edit .*airing out/ }).waitFor();
    expect(mock.state.annotations[0]!.removedAt).toBeNull();
    expect(complaints).toEqual([]);
  });

  test("are marked, changed, taken back and brought back by keyboard alone", async () => {
    const { page, complaints, mock } = await visit("/sensors/room3");
    await page.getByRole("application", { name: /^Temperature chart/ }).focus();
    await page.keyboard.press("n");
    for (let i = 0; i < 6; i++) await page.keyboard.press("ArrowLeft");
    await page.keyboard.press("m");
    await page.getByText(/Marking from/).waitFor();
    for (let i = 0; i < 3; i++) await page.keyboard.press("ArrowLeft");
    await page.keyboard.press("m");
    await page.getByRole("form", { name: "A new annotation" }).waitFor();
    await page.waitForFunction("document.activeElement.tagName === 'SELECT'");
    await page.keyboard.type("moved");
    await page.getByRole("form").getByLabel("Text").focus();
    await page.keyboard.type("on the shelf");
    await page.keyboard.press("Enter");
    const edit = page.getByRole("button", { name: /^Edit moved/ });
    await edit.waitFor();
    const [made] = mock.state.annotations;
    expect((Date.parse(made!.to!) - Date.parse(made!.from)) / stepMs).toBe(3);
    await page.getByRole("button", { name: /^Take back moved/ }).focus();
    await page.keyboard.press("Enter");
    await page.waitForFunction("document.activeElement.textContent === 'Undo'");
    await page.keyboard.press("Enter");
    await edit.waitFor();
    await edit.focus();
    await page.keyboard.press("Enter");
    await page.getByRole("form", { name: "Edit an annotation" }).waitFor();
    await page.waitForFunction("document.activeElement.tagName === 'SELECT'");
    await page.keyboard.press("Escape");
    await page.waitForFunction("document.activeElement.textContent === 'Add an annotation'");
    await page.keyboard.press("Enter");
    await page.getByRole("form", { name: "A new annotation" }).waitFor();
    expect(complaints).toEqual([]);
  });

  test("that do not load are said not to, and what the API refuses is told", async () => {
    const { page } = await visit("/sensors/room3", desk, { failing: "/v1/annotations" });
    await page.getByText("The annotations did not load.").waitFor();
    await page.getByRole("button", { name: "Add an annotation" }).click();
    await page.getByRole("form").getByLabel("Text").fill("x");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText(/Database unavailable/).waitFor();
  });
});
