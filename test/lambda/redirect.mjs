// Loaded before a bundle: leads Neon's driver, which wants wss://…neon.tech, to the stand-in.
const port = process.env.NEON_STAND_IN_PORT;
if (port) {
  globalThis.WebSocket = class extends WebSocket {
    constructor() {
      super(`ws://127.0.0.1:${port}/v2`);
    }
  };
}
