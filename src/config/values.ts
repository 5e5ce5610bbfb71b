/** Formats of variables: numbers, lists, addresses. */
import { z } from "zod";

export type Parsed<Variables extends z.ZodRawShape> = Readonly<z.infer<z.ZodObject<Variables>>>;

/** The intersection of the members of a union. */
export type AllOf<Union> = (Union extends unknown ? (one: Union) => void : never) extends (
  all: infer All,
) => void
  ? All
  : never;

/**
 * A decimal number. One beyond the range of a double is out
 * of bounds, too.
 */
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** What is wrong with a number; undefined when nothing is. */
type Fault = (value: number) => string | undefined;

const optionalNumberThat = (faultOf: Fault) =>
  z.string().transform((text, context) => {
    const value = Number(text.trim());
    const fault = NUMBER.test(text.trim()) ? faultOf(value) : "is not a number";
    if (fault === undefined) return value;
    context.addIssue({ code: "custom", message: fault });
    return z.NEVER;
  });
const numberThat = (fallback: number, faultOf: Fault) =>
  optionalNumberThat(faultOf).default(fallback);

/** A whole number. */
export const count = (fallback: number, min = 1, max = Number.MAX_SAFE_INTEGER) =>
  numberThat(fallback, wholeFrom(min, max));
/** A port that is listened on only where it is set. */
export const optionalPort = () => optionalNumberThat(wholeFrom(0, 65_535)).optional();

const wholeFrom =
  (min: number, max: number): Fault =>
  (value) => {
    if (value < min || value > max) return `is out of bounds: it must be from ${min} to ${max}`;
    return Number.isInteger(value) ? undefined : "is not a whole number";
  };

/** Highest rate; a faster bucket would limit nothing. */
const MAX_PER_SECOND = 1e9;
export const rate = (fallback: number) =>
  numberThat(fallback, (value) =>
    value > 0 && value <= MAX_PER_SECOND
      ? undefined
      : `is out of bounds: it must be more than 0 and at most ${MAX_PER_SECOND}`,
  );

/** Addresses and CIDR ranges, comma-separated. */
export const addressRanges = z
  .string()
  .transform((text) => text.split(/[\s,]+/).filter(Boolean))
  .pipe(
    z.array(
      z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()], {
        error: "is not a list of addresses or ranges such as 10.0.0.0/8,::1",
      }),
    ),
  );
/** A Redis, wherever it is. */
export const redisUrl = z
  .string()
  .regex(
    /^(rediss?(\+cluster|\+sentinel)?:\/\/|unix:\/)\S+$/,
    "is not redis://, rediss://, redis+cluster://, redis+sentinel:// or unix:/path",
  );
