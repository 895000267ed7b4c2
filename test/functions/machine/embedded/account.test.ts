import { execFile } from "node:child_process";
import { tmpdir } from "node:os";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { chooseAccount } from "../../../../functions/machine/embedded/account.ts";
import { quietLog } from "../../../fakes/log.ts";

const user = "forecaster-test-nobody";
const exists = () =>
  promisify(execFile)("id", [user]).then(
    () => true,
    () => false,
  );

test.runIf(process.getuid?.() === 0)("root is asked before a system user is made, and told the command", async () => {
  const questions: string[] = [];
  const ask = async (question: string) => {
    questions.push(question);
    return false;
  };
  const choice = chooseAccount(tmpdir(), quietLog(), { ask, user });
  await expect(choice).rejects.toMatchObject({
    code: "misconfigured",
    message: expect.stringMatching(/useradd --system .*forecaster-test-nobody, start as another user/),
  });
  expect(questions).toEqual([expect.stringMatching(/Postgres refuses to run as root.*useradd/)]);
  expect(await exists()).toBe(false);
});

test.runIf(process.getuid?.() === 0)(
  "where nobody can be asked, the log names the command and how to undo it",
  async () => {
    const log = quietLog();
    try {
      const account = await chooseAccount(tmpdir(), log, { ask: async () => null, user });
      expect(account?.uid).toBeGreaterThan(0);
      expect(log.lines).toEqual([
        expect.objectContaining({
          level: "warn",
          event: "embedded.userCreated",
          fields: expect.objectContaining({ command: expect.stringMatching(/^useradd/), undo: `userdel ${user}` }),
        }),
      ]);
    } finally {
      await promisify(execFile)("userdel", [user]);
    }
  },
);
