import { createServer } from "node:net";
import { AppError } from "../../../core/errors.ts";

/** `preferred` where nobody listens on it, else a free port of 127.0.0.1 that is not among `taken`. */
export async function choosePort(preferred?: number, taken: (number | undefined)[] = []): Promise<number> {
  if (preferred !== undefined && !taken.includes(preferred) && (await tryPort(preferred)) !== null) return preferred;
  for (let attempt = 0; attempt < 10; attempt++) {
    const free = await tryPort(0);
    if (free !== null && !taken.includes(free)) return free;
  }
  throw new AppError("internal", "there is no free port on 127.0.0.1");
}

/** The port that could be opened and was closed again; null when it is taken. */
function tryPort(port: number): Promise<number | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(null));
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : null));
    });
  });
}
