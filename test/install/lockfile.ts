type Locked = { integrity?: string | undefined; resolved?: string; link?: boolean; hasInstallScript?: boolean };
export type Lockfile = { lockfileVersion: number; packages: Record<string, Locked> };

/** Where packages may come from; without `resolved` it is the registry that whoever installs has configured. */
const registry = "https://registry.npmjs.org/";

/** What is wrong with a lock file and the list of install scripts that belongs to it, one sentence each. */
export function lockfileFaults({ packages }: Lockfile, allowScripts: Record<string, boolean>): string[] {
  const locked = Object.entries(packages).filter(([path]) => path !== "");
  const withScript = new Set(locked.filter(([, one]) => one.hasInstallScript).map(([path]) => nameOf(path)));
  const faults = locked.flatMap(([path, { integrity, resolved, link }]) => [
    link === true && `${path} is a link`,
    link !== true && !/^sha512-[\w+/]{86}==$/.test(integrity ?? "") && `${path} has no sha512`,
    resolved !== undefined && !resolved.startsWith(registry) && `${path} comes from ${resolved}`,
  ]);
  const undecided = [...withScript].filter((name) => !(name in allowScripts));
  const idle = Object.keys(allowScripts).filter((name) => !withScript.has(name));
  return [
    ...faults.filter((line) => line !== false),
    ...undecided.map((name) => `${name} has an install script that allowScripts says nothing of`),
    ...idle.map((name) => `allowScripts names ${name}, which has no install script`),
  ];
}

/** "node_modules/y/node_modules/@scope/x" -> "@scope/x" */
function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
}
