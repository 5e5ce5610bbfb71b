/** The client of an operation that no transport brought. */
import type { Client } from "../../src/resolvers/context.js";

export const TEST_CLIENT: Client = {
  device: "test",
  ip: "127.0.0.1",
  takesCookies: true,
  isCrossSite: false,
  showsCookie: false,
};
