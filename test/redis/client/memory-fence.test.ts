/** The memory fence: who names the server's memory, and how often it is asked. */
import { expect, it } from "vitest";
import { ServiceUnavailable } from "../../../src/domain/errors.js";
import { askLoaded, NOT_LOADED } from "../../../src/redis/client/memory-fence.js";
import { loadScripts } from "../../../src/redis/client/scripts.js";

it("Scripts get the identity of the server from one included part alone.", () => {
  const fence = loadScripts().filter(({ lua }) => lua.includes("master_replid"));
  expect(fence.length).toBeGreaterThan(15);
  for (const { command, lua } of fence)
    expect([
      command,
      lua.split("Defines server.").length,
      lua.split("master_replid").length,
    ]).toEqual([command, 2, 2]);
});

it("What is not loaded is loaded and asked again, and a server that forgets is given up.", async () => {
  const steps: string[] = [];
  const asking = (answers: readonly string[]) => {
    const left = [...answers];
    steps.length = 0;
    return askLoaded(
      async () => {
        steps.push("ask");
        return left.shift() ?? NOT_LOADED;
      },
      async () => void steps.push("load"),
      { attempts: 2, failure: () => new ServiceUnavailable("It forgets.") },
    );
  };
  expect(await asking(["here"])).toBe("here");
  expect(steps).toEqual(["ask"]);
  expect(await asking([NOT_LOADED, "here"])).toBe("here");
  expect(steps).toEqual(["ask", "load", "ask"]);
  await expect(asking([])).rejects.toThrow("It forgets.");
  expect(steps).toEqual(["ask", "load", "ask"]);
});
