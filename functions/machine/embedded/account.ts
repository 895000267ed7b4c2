import { execFile } from "node:child_process";
import { access, constants, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { createInterface } from "node:readline/promises";
import { promisify } from "node:util";
import { AppError } from "../../../core/errors.ts";
import type { Log } from "../../../core/ports.ts";

const run = promisify(execFile);

/** Whom Postgres runs as; null means as ourselves. */
export type Account = { uid: number; gid: number } | null;

/** A program with its arguments, and the ids it is to be started with. */
export type Command = { program: string; args: string[]; uid?: number; gid?: number };

/**
 * The account that Postgres will run under, which must not be root: ourselves where we are not root, else the owner of
 * `folder` where that is somebody, else the user "postgres", which is created where it does not exist: a person at a
 * terminal is asked first, elsewhere the log names the command that did it.
 */
export async function chooseAccount(
  folder: string,
  log: Pick<Log, "warn">,
  { ask = askAtTerminal, user = "postgres" }: { ask?: Ask; user?: string } = {},
): Promise<Account> {
  if (process.getuid?.() !== 0) return null;
  const owner = await stat(folder);
  if (owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  return (await findUser(user)) ?? (await createUser(user, log, ask));
}

/**
 * `program` as `account` runs it. Where the account cannot reach one of `folders` (a checkout under /root, say) it is
 * started by setpriv with the one capability that opens them, so that nobody has to change permissions.
 */
export async function commandAs(
  account: Account,
  folders: string[],
  program: string,
  args: string[],
): Promise<Command> {
  if (account === null) return { program, args };
  const reachable = await Promise.all(folders.map((folder) => canReach(folder, account)));
  if (reachable.every(Boolean)) return { program, args, ...account };
  const setpriv = await firstExisting(["/usr/bin/setpriv", "/bin/setpriv"]);
  if (setpriv === null) {
    const closed = folders.filter((_, i) => !reachable[i]).join(", ");
    throw new AppError(
      "misconfigured",
      `user ${account.uid} runs Postgres (it refuses to run as root) and cannot reach ${closed}: install setpriv ` +
        "(util-linux), move the project out of a private folder, or start as another user than root",
    );
  }
  const ids = [`--reuid=${account.uid}`, `--regid=${account.gid}`, "--clear-groups"];
  // Without the secure bit access(2), by which Postgres looks at its own programs, would know nothing of the
  // capability.
  const capability = ["--securebits=+no_setuid_fixup", "--inh-caps=+dac_override", "--ambient-caps=+dac_override"];
  return { program: setpriv, args: [...ids, ...capability, program, ...args] };
}

async function canReach(folder: string, account: { uid: number; gid: number }): Promise<boolean> {
  for (let path = folder; ; path = dirname(path)) {
    const { uid, gid, mode } = await stat(path);
    const executable = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001;
    if ((mode & executable) === 0) return false;
    if (dirname(path) === path) return true;
  }
}

async function findUser(name: string): Promise<Account> {
  try {
    const [uid, gid] = await Promise.all([run("id", ["-u", name]), run("id", ["-g", name])]);
    return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
  } catch {
    return null;
  }
}

/** Whether a person agrees; null where nobody can be asked. */
export type Ask = (question: string) => Promise<boolean | null>;

const askAtTerminal: Ask = async (question) => {
  if (!process.stdin.isTTY || !process.stdout.isTTY) return null;
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^(y(es)?)?$/i.test((await terminal.question(`${question} [Y/n] `)).trim());
  } finally {
    terminal.close();
  }
};

async function createUser(name: string, log: Pick<Log, "warn">, ask: Ask): Promise<Account> {
  const args = ["--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", name];
  const command = `useradd ${args.join(" ")}`;
  const why = `Postgres refuses to run as root, and there is no user "${name}"`;
  const agreed = await ask(`${why}. Make it (${command})?`);
  if (agreed === false) {
    throw new AppError("misconfigured", `${why}: run ${command}, start as another user, or set both database URLs`);
  }
  try {
    await run("useradd", args);
  } catch (error) {
    throw new AppError("misconfigured", `${why}; ${command} failed: create it, or start as another user`, {
      cause: error,
    });
  }
  if (agreed === null) log.warn("embedded.userCreated", { command, undo: `userdel ${name}`, why });
  return findUser(name);
}

async function firstExisting(paths: string[]): Promise<string | null> {
  for (const path of paths) {
    const isThere = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return path;
  }
  return null;
}
