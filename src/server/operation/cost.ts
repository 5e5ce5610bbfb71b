/**
 * What an operation costs: before it runs, by the lengths it asks for; afterwards, by the lengths
 * it got. Both are one sum over one plan (cost-plan.ts), so an answer costs as much as was asked
 * for exactly when every list is as long as it could have been.
 *
 * Plans are kept with their document, of which the stores keep one object per source. A sum over a
 * plan takes microseconds.
 */
import {
  type DocumentNode,
  type GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  Kind,
  type OperationDefinitionNode,
  type VariableNode,
  visit,
} from "graphql";
import { OperationTooComplex } from "../../domain/errors.js";
import { OPERATION_CLASSES, type OperationClass } from "../../domain/limits.js";
import { own } from "../../domain/own.js";
import type { Variables } from "./argument-value.js";
import {
  type CostPlan,
  isTrue,
  type PlannedField,
  planCost,
  UncountableDocument,
} from "./cost-plan.js";
import { causesOf, type Failures } from "./failures.js";
import { type CheckArguments, coerceVariables } from "./input.js";

/** What one operation costs. */
export interface Cost {
  /** The most that it can cost. */
  readonly requested: number;
  /** How often it does what is counted by itself. */
  readonly classes: ReadonlyMap<OperationClass, number>;
  /** Whether a shorter answer costs less. */
  readonly varies: boolean;
  /** Its variables as execution will see them. */
  readonly variables: Variables;
  /**
   * The cost of an answer, by the length of its lists; of a subscription, that of one message.
   * It is less than requested only by what the answer shows was not done.
   */
  actual(data: unknown, errors?: readonly GraphQLError[]): number;
}

/** One operation, ready to run. */
export interface PreparedOperation {
  readonly document: DocumentNode;
  readonly operationName: string | null | undefined;
  /** As the request brings them. */
  readonly variables: Readonly<Record<string, unknown>> | null | undefined;
}

/**
 * The cost of an operation; null for a document that holds no such operation. Throws InvalidInput.
 */
export type PriceOperation = (operation: PreparedOperation) => Cost | null;

/**
 * The cost of an operation that may run; null as above. Throws InvalidInput and
 * OperationTooComplex.
 */
export type CheckCost = PriceOperation;

/** Holds every operation to the most that one may cost, and its arguments to what they declare. */
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

/** What any operation costs besides its fields: it is read, admitted, executed and answered. */
const OPERATION_PRICE = 1;
/**
 * Conditions by variables make several plans of one document; a client that tries them all is not
 * to fill the memory.
 */
const MAX_PLANS = 16;
/** Stands for more than can be counted. */
const UNCOUNTABLE: Omit<Cost, "variables"> = {
  requested: Number.MAX_SAFE_INTEGER,
  classes: new Map(),
  varies: false,
  actual: () => Number.MAX_SAFE_INTEGER,
};

/** Makes the prices of one schema. */
export function createPrices(schema: GraphQLSchema): PriceOperation {
  const known = new WeakMap<DocumentNode, Map<string, CostPlan | typeof UncountableDocument>>();

  function planOf(
    document: DocumentNode,
    operation: OperationDefinitionNode,
    variables: Variables,
  ): CostPlan | null {
    const plans = known.get(document) ?? new Map<string, CostPlan | typeof UncountableDocument>();
    known.set(document, plans);
    const name = planName(document, operation, variables);
    let found = plans.get(name);
    if (!found) {
      found = planOrNone(schema, { document, operation, variables });
      if (plans.size >= MAX_PLANS) plans.clear();
      plans.set(name, found);
    }
    return found === UncountableDocument ? null : (found as CostPlan);
  }

  return ({ document, operationName, variables: given }) => {
    const operation = getOperationAST(document, operationName);
    if (!operation) return null;
    // A plan is kept only for variables that execution accepts.
    const variables = coerceVariables(schema, operation, given);
    const plan = planOf(document, operation, variables);
    return { variables, ...(plan ? costOf(plan, variables) : UNCOUNTABLE) };
  };
}

interface Planned {
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
  readonly variables: Variables;
}

function planOrNone(
  schema: GraphQLSchema,
  { document, operation, variables }: Planned,
): CostPlan | typeof UncountableDocument {
  try {
    return planCost(schema, document, operation, variables);
  } catch (error) {
    if (error instanceof UncountableDocument) return UncountableDocument;
    throw error;
  }
}

/** The variables that conditions of a document ask. */
const conditions = new WeakMap<DocumentNode, readonly VariableNode[]>();

function conditionsOf(document: DocumentNode): readonly VariableNode[] {
  const found = conditions.get(document) ?? findConditions(document);
  conditions.set(document, found);
  return found;
}

function findConditions(document: DocumentNode): VariableNode[] {
  const found = new Map<string, VariableNode>();
  visit(document, {
    Directive: ({ arguments: given }) => {
      for (const { value } of given ?? [])
        if (value.kind === Kind.VARIABLE) found.set(value.name.value, value);
    },
  });
  return [...found.values()];
}

/**
 * Operations of one document share a plan only under one name and with the same conditions true.
 */
const planName = (
  document: DocumentNode,
  { name }: OperationDefinitionNode,
  variables: Variables,
): string =>
  `${name?.value ?? ""} ${conditionsOf(document)
    .map((variable) => (isTrue(variable, variables) ? "1" : "0"))
    .join("")}`;

function costOf(plan: CostPlan, variables: Variables): Omit<Cost, "variables"> {
  return {
    requested: plan.reduce((sum, field) => sum + requestedOf(field, variables), OPERATION_PRICE),
    classes: classesOf(plan),
    varies: plan.some(({ varies }) => varies),
    actual: (data, errors = []) => {
      const failures = causesOf(errors);
      const answer = new AnswerCost(variables);
      // Nothing is known of an answer without data, or with an error that has no place.
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

/** What a field can cost at most. */
function requestedOf(field: PlannedField, variables: Variables): number {
  const once = maxOfOne(field, variables);
  return field.repeats ? field.repeats(variables) * once : once;
}

/** The same, answered once. Where several types may stand, the dearest counts. */
function maxOfOne({ own: price, work, size, below }: PlannedField, variables: Variables): number {
  const one = price + dearest(below, (field) => maxOfOne(field, variables));
  return (size ? size(variables) * one : one) + (work ? work(variables) : 0);
}

/**
 * What an answer has cost, by the lengths of its lists. What is not there has no length, unless an
 * error at or below it is why: the work may have been done then, so all that was asked for counts.
 * Declared work is done whatever is answered.
 */
class AnswerCost {
  constructor(private readonly variables: Variables) {}

  /** The most that one answer can cost. */
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
      return field.own + dearest(field.below, (inner) => maxOfOne(inner, this.variables));
    return field.own + this.below(field, item, failures);
  }

  /** The sum below, of the dearest of the types that may stand there. */
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

/** The sum below, of the dearest of the types that may stand there. */
function dearest(below: PlannedField["below"], cost: (field: PlannedField) => number): number {
  if (!below) return 0;
  let most = 0;
  for (const fields of below) {
    let sum = 0;
    for (const field of fields) sum += cost(field);
    if (sum > most) most = sum;
  }
  return most;
}
