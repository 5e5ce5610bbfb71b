import { describe, expect, it } from "vitest";
import { createGuests } from "../../../src/services/account/guests.js";

const guests = createGuests("a secret of the tests");

describe("a guest", () => {
  it("A guest is made once, at the first write, and is the same wherever its token is shown.", () => {
    const pass = guests.admit(undefined);
    expect([pass.id, pass.issued]).toEqual([null, null]);
    const id = pass.ensure();
    expect([pass.ensure(), pass.id]).toEqual([id, id]);
    const again = createGuests("a secret of the tests").admit(pass.issued ?? "");
    expect([again.id, again.ensure(), again.issued]).toEqual([id, id, null]);
  });

  it("An id that we did not sign is never a guest.", () => {
    const mine = guests.admit(undefined);
    mine.ensure();
    const [id = "", signature = ""] = (mine.issued ?? "").split(".");
    const other = createGuests("another secret").admit(undefined);
    other.ensure();
    const forged = [
      other.issued ?? "",
      `${id}.${signature.replace(/^./, (sign) => (sign === "A" ? "B" : "A"))}`,
      `${"A".repeat(22)}.${signature}`,
      `${id}.`,
      id,
      "",
      `${mine.issued} `,
    ];
    expect(forged.map((token) => guests.admit(token).id)).toEqual(forged.map(() => null));
  });
});
