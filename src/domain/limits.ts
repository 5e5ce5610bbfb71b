/** Limits: what is counted besides the cost of operations. */

/** Operations that are counted by themselves besides their cost, because each has work behind it that its answer does not show. */
export const OPERATION_CLASSES = ["signIn", "checkout"] as const;

/** A class of {@link OPERATION_CLASSES}. */
export type OperationClass = (typeof OPERATION_CLASSES)[number];

/** Whether something names a class. */
export const isOperationClass = (value: unknown): value is OperationClass => OPERATION_CLASSES.some((known) => known === value);
