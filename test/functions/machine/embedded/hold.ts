import { startEmbedded } from "../../../../functions/machine/embedded/cluster.ts";

// A process to be killed: starts the embedded databases, prints one JSON line, ends cleanly on SIGINT.
const silent = { info() {}, warn() {}, error() {} };
try {
  const embedded = await startEmbedded({
    dataDir: process.argv[2]!,
    needs: { follower: true, predictor: false },
    log: silent,
  });
  process.once("SIGINT", () => void embedded.stop().then(() => process.exit(0)));
  console.log(JSON.stringify({ mainUrl: embedded.mainUrl, pids: embedded.pids() }));
  setInterval(() => {}, 1_000);
} catch (error) {
  console.log(JSON.stringify({ failed: String(error) }));
  process.exit(1);
}
