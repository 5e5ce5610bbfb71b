/**
 * The cost of an operation: requested, by the lengths it asks
 * for, and actual, by the lengths it got. Both sum up one plan
 * (cost-plan.ts). So they are equal when every list has its full
 * length.
 *
 * Plans are kept per document; stores keep one object per source.
 * A sum takes microseconds.
 */
import { type DocumentNode, type GraphQLError, type GraphQLSchema, getOperationAST } from "graphql";
import { OperationTooComplex } from "../../domain/errors.js";
import { OPERATION_CLASSES, type OperationClass } from "../../domain/limits.js";
import { own } from "../../domain/own.js";
import type { Variables } from "./argument-value.js";
import { type ConditionedOperation, onceForConditions } from "./conditions.js";
import { type CostPlan, type PlannedField, planCost, UncountableDocument } from "./cost-plan.js";
import { type Failures, failureTree } from "./failures.js";
import { type CheckArguments, coerceVariables } from "./input.js";

export interface Cost {
  /** The maximum. */
  readonly requested: number;
  /** Uses of the buckets for single operations. */
  readonly classes: ReadonlyMap<OperationClass, number>;
  /** Whether a shorter answer costs less. */
  readonly varies: boolean;
  /** As execution sees them. */
  readonly variables: Variables;
  /**
   * The cost of an answer, or of one message of a subscription.
   * Of the requested cost, it omits only work that the answer
   * shows was not done.
   */
  actual(data: unknown, errors?: readonly GraphQLError[]): number;
}

/**
 * One operation of a valid document, ready to run. Equal sources
 * have one document object.
 */
export interface PreparedOperation {
  readonly document: DocumentNode;
  readonly operationName: string | null | undefined;
  /** As the request brings them. */
  readonly variables: Readonly<Record<string, unknown>> | null | undefined;
}

/**
 * Null for a document without such an operation. Throws
 * InvalidInput.
 */
export type PriceOperation = (operation: PreparedOperation) => Cost | null;

/**
 * The cost of an allowed operation; null as above. Throws
 * InvalidInput and OperationTooComplex.
 */
export type CheckCost = PriceOperation;

/** Applies the maximum cost and the bounds of arguments. */
export function createCostCheck(
  price: PriceOperation,
  limit: number,
  checkArguments: CheckArguments,
): CheckCost {
  return (operation) => {
    const cost = price(operation);
    if (!cost) return null;
    if (cost.requested > limit) throw new OperationTooComplex(cost.requested, limit);
    checkArguments(operation, cost.variables);
    return cost;
  };
}

/** Reading, admission, execution and answer of any operation. */
export const OPERATION_PRICE = 1;
/** More than can be counted. */
const UNCOUNTABLE: Omit<Cost, "variables"> = {
  requested: Number.MAX_SAFE_INTEGER,
  classes: new Map(),
  varies: false,
  actual: () => Number.MAX_SAFE_INTEGER,
};

export function createPrices(schema: GraphQLSchema): PriceOperation {
  const planOf = onceForConditions((planned) => planOrNone(schema, planned));
  return ({ document, operationName, variables: given }) => {
    const operation = getOperationAST(document, operationName);
    if (!operation) return null;
    // A plan is kept only for valid variables.
    const variables = coerceVariables(schema, operation, given);
    const plan = planOf({ document, operation, variables });
    return { variables, ...(plan ? costOf(plan, variables) : UNCOUNTABLE) };
  };
}

/** Null for a document with more fields than are counted. */
function planOrNone(
  schema: GraphQLSchema,
  { document, operation, variables }: ConditionedOperation,
): CostPlan | null {
  try {
    return planCost(schema, document, operation, variables);
  } catch (error) {
    if (error instanceof UncountableDocument) return null;
    throw error;
  }
}

function costOf(plan: CostPlan, variables: Variables): Omit<Cost, "variables"> {
  return {
    requested: plan.reduce((sum, field) => sum + requestedOf(field, variables), OPERATION_PRICE),
    classes: classesOf(plan),
    varies: plan.some(({ varies }) => varies),
    actual: (data, errors = []) => {
      const failures = failureTree(errors);
      const answer = new AnswerCost(variables);
      // Without data, or with an error that has no path, the
      // maximum counts.
      if (failures === "everywhere" || typeof data !== "object" || data === null)
        return OPERATION_PRICE + answer.maxOf(plan);
      return OPERATION_PRICE + answer.sumOf(plan, data, failures);
    },
  };
}

function classesOf(plan: CostPlan): ReadonlyMap<OperationClass, number> {
  const counts = OPERATION_CLASSES.map(
    (name) => [name, plan.filter(({ operationClass }) => operationClass === name).length] as const,
  );
  return new Map(counts.filter(([, count]) => count > 0));
}

/** The maximum of a field. */
function requestedOf(field: PlannedField, variables: Variables): number {
  const once = maxOfOne(field, variables);
  return field.repeats ? field.repeats(variables) * once : once;
}

/** The maximum of one answer. The dearest possible type counts. */
function maxOfOne({ own: price, work, size, below }: PlannedField, variables: Variables): number {
  const one = price + mostExpensive(below, (field) => maxOfOne(field, variables));
  return (size ? size(variables) * one : one) + (work ? work(variables) : 0);
}

/**
 * The actual cost, by the lengths of lists. A missing value has
 * no length. Where an error at or below explains it, the maximum
 * counts: the work may be done. Declared work always counts.
 */
class AnswerCost {
  constructor(private readonly variables: Variables) {}

  /** The maximum of one answer. */
  maxOf(fields: readonly PlannedField[]): number {
    return fields.reduce((sum, field) => sum + maxOfOne(field, this.variables), 0);
  }

  /** The fields of one object. */
  sumOf(fields: readonly PlannedField[], object: unknown, failures: Failures | undefined): number {
    let sum = 0;
    for (const field of fields)
      sum += this.costOf(field, memberOf(object, field.key), failures?.get(field.key));
    return sum;
  }

  private costOf(field: PlannedField, value: unknown, failures: Failures | undefined): number {
    if (!field.varies || (isMissing(value) && failures)) return maxOfOne(field, this.variables);
    const done = field.work ? field.work(this.variables) : 0;
    if (!field.size) return done + field.own + this.below(field, value, failures);
    if (!Array.isArray(value)) return done;
    if (!belowVaries(field))
      return done + value.length * (field.own + this.below(field, null, undefined));
    return value.reduce(
      (sum: number, item, index) => sum + this.ofItem(field, item, failures?.get(index)),
      done,
    );
  }

  private ofItem(field: PlannedField, item: unknown, failures: Failures | undefined): number {
    if (isMissing(item) && failures)
      return field.own + mostExpensive(field.below, (inner) => maxOfOne(inner, this.variables));
    return field.own + this.below(field, item, failures);
  }

  /** The sum of the dearest possible type. */
  private below({ below }: PlannedField, object: unknown, failures: Failures | undefined): number {
    return (below ?? []).reduce(
      (most, fields) => Math.max(most, this.sumOf(fields, object, failures)),
      0,
    );
  }
}

const isMissing = (value: unknown): boolean => value === null || value === undefined;

const memberOf = (object: unknown, key: string): unknown =>
  own(object as Readonly<Record<string, unknown>> | null | undefined, key);

const belowVaries = ({ below }: PlannedField): boolean =>
  below?.some((fields) => fields.some(({ varies }) => varies)) ?? false;

/** The sum of the dearest possible type. */
function mostExpensive(
  below: PlannedField["below"],
  cost: (field: PlannedField) => number,
): number {
  if (!below) return 0;
  let most = 0;
  for (const fields of below) {
    let sum = 0;
    for (const field of fields) sum += cost(field);
    if (sum > most) most = sum;
  }
  return most;
}
