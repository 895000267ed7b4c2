import type { AccessMode } from "../../../core/access/actor.ts";
import type { ApiKeys, AuditLog, IdentityProvider, Sessions } from "../../../core/access/ports.ts";
import type { RoleRules } from "../../../core/access/scope.ts";
import type { Clock } from "../../../core/ports.ts";
import type { ApiLimits } from "./limits.ts";

/** What guards the API. Its clock is the wall's, also in the demo: keys and sessions belong to people. */
export type AccessServices = {
  mode: AccessMode;
  /** API_KEY; null where there is none. */
  bootstrapKey: string | null;
  clock: Pick<Clock, "now">;
  keys: ApiKeys;
  sessions: Sessions;
  audit: AuditLog;
  /** What shared links are signed with; null: nothing is shared. */
  shareKey: string | null;
  /** Where people sign in; null where no issuer is configured. */
  issuer: { provider: IdentityProvider; rules: RoleRules } | null;
  /** Where this API is reached from outside; null: as each request says. */
  publicUrl: string | null;
  /** Whether X-Forwarded-For is a proxy's of ours and not anybody's. */
  trustsProxy: boolean;
  limits: ApiLimits;
};
