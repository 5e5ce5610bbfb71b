/**
 * Durations in milliseconds. Every duration in the code is a
 * multiple of one of these units.
 */
export const MILLISECOND = 1;
export const SECOND = 1_000 * MILLISECOND;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
