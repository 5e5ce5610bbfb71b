/**
 * Preloaded into a process (`NODE_OPTIONS=--import=…`): its wall clock is CLOCK_SHIFT_MS ahead. Its
 * monotonic clock is right.
 */
const shiftMs = Number(process.env.CLOCK_SHIFT_MS);
const RealDate = globalThis.Date;

globalThis.Date = class extends RealDate {
  constructor(...parts) {
    if (parts.length === 0) super(RealDate.now() + shiftMs);
    else super(...parts);
  }
  static now() {
    return RealDate.now() + shiftMs;
  }
};
