/** Ids that a follower may hold: what they carry must come back as it is, and do nothing on its way. */
export const hostileIds = [
  "<script>alert(1)</script>",
  '"><img src=x onerror=alert(1)>',
  "=HYPERLINK(1)",
  "\uff1dcmd",
  "two\r\nlines",
  "a/b/../c",
  ".",
  "..",
  "~.",
  "%2e%2e",
  "\u202egnp.exe",
  "'; drop table sensor; --",
  "x".repeat(256),
  "\u{1f321}",
  "a:train",
  "__proto__",
];
