/// <reference path="../.sst/platform/config.d.ts" />
import type { StageSettings } from "../sst.settings.ts";

/** An archived day older than this is read once in a while: a sixth of the price, and still there at once. */
const archiveRestsAfterDays = 30;

/** Models, archived days and backups: one bucket, private and versioned. */
export function createStore(settings: StageSettings) {
  const bucket = new sst.aws.Bucket("Store", {
    cors: false,
    versioning: true,
    lifecycle: [{ id: "backups", prefix: "backups/", expiresIn: `${settings.backupRetentionDays} days` }],
    transform: {
      bucket: (args, options) => {
        args.forceDestroy = !settings.isProtected;
        options.protect = settings.isProtected;
      },
      lifecycle: (args) => {
        const replaced = { noncurrentDays: settings.backupRetentionDays };
        const rule = { id: "replaced", status: "Enabled", noncurrentVersionExpiration: replaced };
        const rests = {
          ...{ id: "archive", status: "Enabled", filter: { prefix: "archive/" } },
          transitions: [{ days: archiveRestsAfterDays, storageClass: "GLACIER_IR" }],
        };
        args.rules = $output(args.rules).apply((rules) => [...(rules ?? []), rule, rests]);
      },
    },
  });
  const under = (folder: string) => $interpolate`${bucket.arn}/${folder}/*`;
  return { bucket, models: under("models"), backups: [under("archive"), under("backups")] };
}
export type Store = ReturnType<typeof createStore>;
