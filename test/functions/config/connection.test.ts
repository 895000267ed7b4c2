import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Connection, parseConnection, redactConnection } from "../../../functions/config/connection.ts";

const read = (text: string): Connection => {
  const parsed = parseConnection(text);
  if (!parsed.ok) throw new Error(parsed.problem);
  return parsed.connection;
};

describe("connection strings", () => {
  it.each<[string, Partial<Connection>]>([
    [
      "postgres://app:pw@db.example.com/iot",
      { host: "db.example.com", port: 5432, database: "iot", sslMode: "prefer" },
    ],
    [
      "postgres://u:p@ec2-3-1.compute-1.amazonaws.com:5432/d8",
      { host: "ec2-3-1.compute-1.amazonaws.com", sslMode: "prefer" },
    ],
    ["postgresql://u:p@x.rds.amazonaws.com/d?sslmode=verify-full&sslrootcert=/ca.pem", { rootCertificate: "/ca.pem" }],
    [
      "postgresql://u:p@ep-a-pooler.eu-central-1.aws.neon.tech/d?sslmode=require&channel_binding=require",
      { isPooled: true, needsChannelBinding: true, sslMode: "require" },
    ],
    [
      "postgres://postgres.abc:p@aws-0-eu-central-1.pooler.supabase.com:6543/postgres",
      { user: "postgres.abc", isPooled: true },
    ],
    ["postgres://u:p@aws-0-eu.pooler.supabase.com:5432/postgres", { isPooled: false }],
    ["postgres://u:p@h:6432/d", { isPooled: true }],
    ["postgres://u:p@h/d?pgbouncer=true", { isPooled: true }],
    ["postgres://u:p@h/d?ssl=true", { sslMode: "require" }],
    ["postgres://u:p@h/d?sslmode=no-verify", { sslMode: "require" }],
    ["postgres://u:p@h/d?sslmode=require&sslrootcert=/ca.pem", { sslMode: "verify-ca" }],
    ["postgres://u:p@h/d?sslrootcert=system", { sslMode: "verify-full" }],
    ["postgres://u:p@localhost/d", { sslMode: "allow" }],
    ["postgres:///d?host=/var/run/postgresql", { host: "/var/run/postgresql", database: "d", sslMode: "disable" }],
    ["postgres://u@%2Fvar%2Frun%2Fpostgresql:5433/d", { host: "/var/run/postgresql", port: 5433, user: "u" }],
    ["postgres://u:p@[2001:db8::1]:5433/d", { host: "2001:db8::1", port: 5433 }],
    ["postgresql+psycopg2://u:p@h/d", { host: "h", database: "d" }],
    ["jdbc:postgresql://h:5433/d?user=u&password=p%26", { host: "h", port: 5433, user: "u", password: "p&" }],
    ["host=h port=5433 dbname=d user=u password='it''s' sslmode=require".replace("''", "\\'"), { password: "it's" }],
    ["host = h dbname=d connect_timeout=3 options='-c search_path=iot'", { options: "-c search_path=iot" }],
    ["host=/tmp dbname=d", { host: "/tmp", sslMode: "disable" }],
    ["  postgres://u:p@h/d?application_name=a@b\n", { user: "u", host: "h", database: "d" }],
  ])("reads %s", (text, expected) => {
    expect(read(text)).toMatchObject(expected);
  });

  it.each(["pa#ss", "pa/ss", "p%ss", "p@ss", "50%off", "a?b", "#/@%?", "pa:ss", "12/34", "p@ss/word", "a@b/c#d@e"])(
    "takes the password %s as it stands, or says how to write it",
    (password) => {
      const parsed = parseConnection(`postgres://app:${password}@db.example.com:5433/iot?sslmode=require`);
      if (parsed.ok) expect(parsed.connection).toMatchObject({ user: "app", password, host: "db.example.com" });
      else expect(parsed.problem).toMatch(/percent-encode/);
      const encoded = read(`postgres://app:${encodeURIComponent(password)}@db.example.com:5433/iot`);
      expect(encoded).toMatchObject({ password, host: "db.example.com", port: 5433, database: "iot" });
    },
  );

  it("reads every password that is percent-encoded, and every one that is quoted in a DSN", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: "grapheme" }), (password) => {
        expect(read(`postgres://u:${encodeURIComponent(password)}@h/d`).password).toBe(password);
        const quoted = password.replace(/[\\']/g, "\\$&");
        expect(read(`host=h user=u password='${quoted}' dbname=d`)).toMatchObject({ password, database: "d" });
      }),
    );
  });

  it.each([
    ["mysql://app:hunter2@h/d", /must look like postgres/],
    ["hunter2", /must look like postgres/],
    ["postgres://u:hunter2@a,b:5433/d", /names 2 hosts: one is needed.*or an address that follows it/],
    ["host=a,b password=hunter2", /names 2 hosts/],
    ["postgres://u:hunter2@h:99999/d", /port/],
    ["postgres://u:hunter2@h/d?sslmode=sometimes", /sslmode that is none of disable, allow/],
    ["host=h password='hunter2", /quote values/],
    ["postgres://u:hunter2@h h/d", /percent-encode/],
  ])("refuses %s by a sentence that says what to change and repeats no secret", (text, problem) => {
    const parsed = parseConnection(text);
    expect(parsed).toMatchObject({ ok: false, problem: expect.stringMatching(problem) });
    expect(JSON.stringify(parsed)).not.toContain("hunter2");
  });

  it("never shows any part of a password, whatever it holds", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom("#", "/", "@", "%", "?", ":", "4", "=", "&"), maxLength: 12 }),
        (noise) => {
          for (const password of [`hunter2${noise}hunter2`, `hunter2${noise}`, `${noise}hunter2`]) {
            const text = `postgres://app:${password}@db.example.com:5432/iot`;
            expect(redactConnection(text)).not.toContain("hunter2");
            const parsed = parseConnection(text);
            if (parsed.ok) expect(`${parsed.connection.host}${parsed.connection.database}`).not.toContain("hunter2");
          }
        },
      ),
    );
  });
});
