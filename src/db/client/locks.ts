/**
 * Advisory locks, unique in the database: the digits of
 * "souk" in ASCII, and a count.
 */
export const LOCKS = {
  /** One process migrates. */
  migrate: 0x73_6f_75_6b_01,
  /** One relay drains the outbox. */
  relay: 0x73_6f_75_6b_02,
  /** One import or seed writes at a time. */
  bulk: 0x73_6f_75_6b_03,
  /** One worker archives finished periods of leaderboards. */
  boards: 0x73_6f_75_6b_04,
} as const;
