import type { KeySubject } from "./spec.js";

export const LEADERBOARD_KEYS = {
  folder: "leaderboard",
  title: "Leaderboards",
  owner: "redis/leaderboard/leaderboard.ts",
  commands: ["smembers"],
  families: {
    board: {
      key: "board:{<board>}",
      type: "hash",
      ttl: "none",
      bound: "leaderboards",
      value:
        "`generation` names the build that is served; `applied` is the sequence of the ledger up " +
        "to which it lacks nothing, `version` that and what came before its turn; `server` the " +
        "replication id of the server it was compared with the ledger on; `built` when it was " +
        "begun (ms); `closed:<period>` up to when such periods are archived (ms).",
      deleted:
        "`DEL souk:v1:board:{<board>}` has the board built from the ledger again, at any time. " +
        "What its other keys hold then goes by itself.",
    },
    boardNames: {
      key: "board:{<board>}:names",
      type: "set",
      ttl: "none",
      bound: "leaderboards; one member per period that is not archived yet",
      value: "`<generation>:<period>:<start, ms>` for each period that has keys.",
    },
    boardWaiting: {
      key: "board:{<board>}:waiting",
      type: "zset",
      ttl: "none",
      bound: "leaderboards; batches under way",
      value:
        "Ranges `<first>-<last>` of the ledger that were applied before what is before them → " +
        "the first sequence.",
    },
    boardAnswers: {
      key: "board:{<board>}:answers:<ten minutes>",
      type: "hash",
      ttl: "20 minutes since its last answer",
      bound: "boards and the last 20 minutes; at most 100,000 answers each",
      value:
        "Sequence → `<rank>,<rank before>` for all time, month, week and day, with semicolons " +
        "between.",
    },
    boardBuild: {
      key: "board:{<board>}:build",
      type: "string",
      ttl: "30 seconds, renewed by the builder",
      bound: "boards that are being built",
    },
    boardRanks: {
      key: "board:{<board>}:<generation:period:start>:ranks",
      type: "zset",
      ttl: "none",
      bound: "owners on the board in a period that is not archived yet",
      value:
        "The sequence at which the score was reached, in eleven digits of base 36, and the owner " +
        "→ the score, negated where high ones are good: so the order is that of ranks.",
    },
    boardOwners: {
      key: "board:{<board>}:<generation:period:start>:owners",
      type: "hash",
      ttl: "none",
      bound: "like boardRanks; at most 1.2 KB each",
      value:
        "Owner → " +
        '`<sequence of the last row>|<reached>|<submitted at, ms>|<"+" and metadata, or "-">`.',
    },
    boardScores: {
      key: "board:{<board>}:<generation:period:start>:scores",
      type: "zset",
      ttl: "none",
      bound: "distinct scores of boards with dense ranks",
      value: "Distinct scores as in boardRanks, for dense ranks only.",
    },
  },
} as const satisfies KeySubject;
