/** How much is tried: everything, or with FAULTS=share what CI has the time for. */
export const sizes =
  process.env.FAULTS === "share" ? { kills: 5, terminations: 400 } : { kills: 20, terminations: 2_000 };
