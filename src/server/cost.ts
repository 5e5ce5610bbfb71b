/**
 * What an operation costs: before it runs, by the lengths it asks for; afterwards, by the lengths it got. Both are one sum over one plan
 * (cost-plan.ts), so an answer costs as much as was asked for exactly when every list is as long as it could have been.
 *
 * Plans are kept with their document, of which the stores keep one object per source. A sum over a plan takes microseconds.
 */
import { type DocumentNode, type GraphQLSchema, getOperationAST, Kind, type OperationDefinitionNode, visit } from "graphql";
import { OperationTooComplex } from "../domain/errors.js";
import { OPERATION_CLASSES, type OperationClass } from "../domain/limits.js";
import type { Variables } from "./argument-value.js";
import { type CostPlan, type PlannedField, planCost, UncountableDocument } from "./cost-plan.js";

/** What one operation costs. */
export interface Cost {
  /** The most that it can cost. */
  readonly requested: number;
  /** How often it does what is counted by itself. */
  readonly classes: ReadonlyMap<OperationClass, number>;
  /** Whether a shorter answer costs less. */
  readonly varies: boolean;
  /** The cost of an answer, by the length of its lists; of a subscription, that of one message. */
  actual(data: unknown): number;
}

/** One operation, ready to run. */
export interface Priced {
  readonly document: DocumentNode;
  readonly operationName: string | null | undefined;
  readonly variables: Variables | null | undefined;
}

/** Tells what an operation costs; null for a document that holds no such operation. */
export type PriceOperation = (operation: Priced) => Cost | null;

/** The cost of an operation that is not too much for one; null for a document that holds no such operation. Throws OperationTooComplex. */
export type CheckCost = PriceOperation;

/** Holds every operation to the most that one may cost. */
export function createCostCheck(price: PriceOperation, limit: number): CheckCost {
  return (operation) => {
    const cost = price(operation);
    if (cost && cost.requested > limit) throw new OperationTooComplex(cost.requested, limit);
    return cost;
  };
}

/** Conditions by variables make several plans of one document; a client that tries them all is not to fill the memory. */
const MAX_PLANS = 16;
/** Stands for more than can be counted. */
const UNCOUNTABLE: Cost = { requested: Number.MAX_SAFE_INTEGER, classes: new Map(), varies: false, actual: () => 0 };

/** Makes the prices of one schema. */
export function createPrices(schema: GraphQLSchema): PriceOperation {
  const known = new WeakMap<DocumentNode, Map<string, CostPlan | typeof UncountableDocument>>();

  function planOf(document: DocumentNode, operation: OperationDefinitionNode, variables: Variables): CostPlan | null {
    const plans = known.get(document) ?? new Map<string, CostPlan | typeof UncountableDocument>();
    known.set(document, plans);
    const name = planName(document, operation, variables);
    const found = plans.get(name) ?? planOrNone(schema, { document, operation, variables });
    if (plans.size >= MAX_PLANS) plans.clear();
    plans.set(name, found);
    return found === UncountableDocument ? null : (found as CostPlan);
  }

  return ({ document, operationName, variables }) => {
    const operation = getOperationAST(document, operationName);
    if (!operation) return null;
    const plan = planOf(document, operation, variables ?? {});
    return plan ? costOf(plan, variables ?? {}) : UNCOUNTABLE;
  };
}

interface Planned {
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
  readonly variables: Variables;
}

function planOrNone(schema: GraphQLSchema, { document, operation, variables }: Planned): CostPlan | typeof UncountableDocument {
  try {
    return planCost(schema, document, operation, variables);
  } catch (error) {
    if (error instanceof UncountableDocument) return UncountableDocument;
    throw error;
  }
}

/** Names of the variables that conditions of a document ask. */
const conditions = new WeakMap<DocumentNode, readonly string[]>();

function conditionsOf(document: DocumentNode): readonly string[] {
  const found = conditions.get(document) ?? findConditions(document);
  conditions.set(document, found);
  return found;
}

function findConditions(document: DocumentNode): string[] {
  const names = new Set<string>();
  visit(document, {
    Directive: ({ arguments: given }) => {
      for (const { value } of given ?? []) if (value.kind === Kind.VARIABLE) names.add(value.name.value);
    },
  });
  return [...names];
}

function planName(document: DocumentNode, { name }: OperationDefinitionNode, variables: Variables): string {
  const values = conditionsOf(document).map((variable) => String(variables[variable]));
  return values.length === 0 ? (name?.value ?? "") : JSON.stringify([name?.value, ...values]);
}

function costOf(plan: CostPlan, variables: Variables): Cost {
  const requested = plan.reduce((sum, field) => sum + requestedOf(field, variables), 0);
  return {
    requested,
    classes: classesOf(plan),
    varies: plan.some(({ varies }) => varies),
    actual: (data) => plan.reduce((sum, field) => sum + actualOf(field, memberOf(data, field.key), variables), 0),
  };
}

function classesOf(plan: CostPlan): ReadonlyMap<OperationClass, number> {
  const counts = OPERATION_CLASSES.map((name) => [name, plan.filter(({ operationClass }) => operationClass === name).length] as const);
  return new Map(counts.filter(([, count]) => count > 0));
}

/** What a field can cost at most. Where several types may stand, the dearest counts. */
function requestedOf({ own, work, size, repeats, below }: PlannedField, variables: Variables): number {
  const one = own + dearest(below, (field) => requestedOf(field, variables));
  const all = (size ? size(variables) * one : one) + (work ? work(variables) : 0);
  return repeats ? repeats(variables) * all : all;
}

const memberOf = (data: unknown, key: string): unknown => (data as Variables | null | undefined)?.[key];

/** What a field has cost, by the lengths that were answered. What is not there has no length; work is done all the same. */
function actualOf(field: PlannedField, value: unknown, variables: Variables): number {
  const { own, work, size, repeats } = field;
  if (!field.varies && !repeats) return requestedOf(field, variables);
  const done = work ? work(variables) : 0;
  if (!size) return done + own + actualBelow(field, value, variables);
  if (!Array.isArray(value)) return done;
  if (!belowVaries(field)) return done + value.length * (own + actualBelow(field, null, variables));
  return value.reduce((sum: number, item) => sum + own + actualBelow(field, item, variables), done);
}

const belowVaries = ({ below }: PlannedField): boolean => below?.some((fields) => fields.some(({ varies }) => varies)) ?? false;

const actualBelow = ({ below }: PlannedField, value: unknown, variables: Variables): number =>
  dearest(below, (field) => actualOf(field, memberOf(value, field.key), variables));

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
