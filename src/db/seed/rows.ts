/**
 * Rows of the seeded shop. Each is made from the seed and its
 * own number alone. So ratings can be summed before their
 * reviews are written.
 */
import { DAY } from "../../domain/time/time.js";
import type { Assortment, Branch } from "./branch.js";
import { type Random, randomAt } from "./random.js";
import { SHOP } from "./tree.js";
import {
  BRAND_FORMS,
  BRAND_WORDS,
  CLOSINGS,
  FIRST_NAMES,
  INTRODUCTIONS,
  LINES,
  OPINIONS,
} from "./words.js";

/** How much to make. */
export interface SeedSizes {
  readonly products: number;
  readonly reviews: number;
  /** At most {@link MAX_CATEGORIES}: more are not made. */
  readonly categories: number;
  readonly brands: number;
  readonly seed: number;
}

export interface SeedCategory {
  readonly id: number;
  readonly parentId: number | null;
  readonly name: string;
  readonly path: readonly number[];
  readonly sells: Assortment | undefined;
}

export interface SeedProduct {
  readonly id: number;
  readonly sku: string;
  readonly name: string;
  readonly description: string;
  readonly brandId: number;
  readonly categoryId: number;
  readonly price: number;
  readonly stock: number;
  readonly createdAt: Date;
}

export interface SeedReview {
  readonly id: number;
  readonly productId: number;
  readonly author: string;
  readonly rating: 1 | 2 | 3 | 4 | 5;
  readonly body: string;
  readonly createdAt: Date;
}

/**
 * The shop is two years old on this day, whenever it is
 * seeded: the same rows on every machine.
 */
const OPENED = Date.UTC(2024, 9, 1);
const AGE_MS = 730 * DAY;

/**
 * The first `count` categories of the tree, parents before
 * children, numbered from 1.
 */
export function categoryRows(count: number): SeedCategory[] {
  const rows: SeedCategory[] = [];
  const add = ({ name, sells, children = [] }: Branch, parent: SeedCategory | null): void => {
    if (rows.length >= count) return;
    const id = rows.length + 1;
    const row = {
      id,
      parentId: parent?.id ?? null,
      name,
      path: [...(parent?.path ?? []), id],
      sells,
    };
    rows.push(row);
    for (const child of children) add(child, row);
  };
  for (const root of SHOP) add(root, null);
  return rows;
}

/** All there are: the upper bound of {@link SeedSizes}. */
export const MAX_CATEGORIES = categoryRows(Number.POSITIVE_INFINITY).length;

/**
 * Names of brands, all different. Beyond the forms, partners:
 * "Hartwell & Nordby".
 */
export function brandNames(count: number): string[] {
  const formed = BRAND_FORMS.flatMap((form) => BRAND_WORDS.map((word) => form.replace("*", word)));
  const partners = BRAND_WORDS.flatMap((one) =>
    BRAND_WORDS.filter((other) => other !== one).map((other) => `${one} & ${other}`),
  );
  return [...formed, ...partners].slice(0, count);
}

/** Makes product number `index` (from 0); later ones are younger. */
export function productMaker(
  { products, brands, seed }: SeedSizes,
  categories: readonly SeedCategory[],
): (index: number) => SeedProduct {
  const shelves = categories.filter((category) => category.sells);
  const madeOn = new Map<number, number>();
  return (index) => {
    const random = randomAt(seed, "product", index);
    const shelf = random.pick(shelves);
    const turn = madeOn.get(shelf.id) ?? 0;
    madeOn.set(shelf.id, turn + 1);
    const sells = shelf.sells as Assortment;
    const { line, kind, thing } = nameParts(sells, turn + 37 * shelf.id);
    return {
      id: index + 1,
      sku: `${sells.code}-${100_001 + index}`,
      name: `${line} ${kind} ${thing}`,
      description: describe(random, sells, `${kind} ${thing}`.toLowerCase()),
      brandId: 1 + random.between(0, brands - 1),
      categoryId: shelf.id,
      price: randomPrice(random, sells.price),
      stock: randomStock(random),
      createdAt: new Date(OPENED + Math.floor(((index + random.next()) / products) * AGE_MS)),
    };
  };
}

/**
 * Walks all combinations of a category before one repeats:
 * the step shares no factor with their number.
 */
function nameParts(
  { kinds, things }: Assortment,
  turn: number,
): { line: string; kind: string; thing: string } {
  const all = LINES.length * kinds.length * things.length;
  let step = Math.floor(all * 0.618);
  while (commonFactor(step, all) > 1) step++;
  const at = (turn * step) % all;
  const line = LINES[at % LINES.length] as string;
  const kind = kinds[Math.floor(at / LINES.length) % kinds.length] as string;
  const thing = things[Math.floor(at / (LINES.length * kinds.length))] as string;
  return { line, kind, thing };
}

const commonFactor = (a: number, b: number): number => (b === 0 ? a : commonFactor(b, a % b));

/** One to three sentences. */
function describe(random: Random, { facts }: Assortment, what: string): string {
  const introduction = random
    .pick(INTRODUCTIONS)
    .replace("#", what)
    .replace(/\b([Aa]) (?=[aeio])/g, "$1n ");
  const more = [
    random.chance(0.85) ? random.pick(facts) : "",
    random.chance(0.4) ? random.pick(CLOSINGS) : "",
  ];
  return [introduction, ...more].filter(Boolean).join(" ");
}

/** Low prices are more frequent; amounts end as prices do. */
function randomPrice(random: Random, [min, max]: readonly [number, number]): number {
  const amount = min * (max / min) ** random.next();
  return Math.floor(amount / 100) * 100 + random.pick([99, 99, 99, 95, 90, 0]);
}

/** One in twelve is sold out, one in eight nearly. */
function randomStock(random: Random): number {
  if (random.chance(1 / 12)) return 0;
  return random.chance(1 / 8) ? random.between(1, 5) : random.between(6, 60) * random.between(1, 5);
}

/**
 * Candidates for each review, of which the most popular wins.
 * More make popular ones more popular.
 */
const DRAWS = 3;

/**
 * Rating and product of review number `index`. Older and more
 * popular products have more reviews, some have none.
 */
export function ratingMaker({
  products,
  reviews,
  seed,
}: SeedSizes): (index: number) => { productId: number; rating: 1 | 2 | 3 | 4 | 5; random: Random } {
  const appeal = (productId: number): number => randomAt(seed, "appeal", productId).next() ** 2;
  return (index) => {
    const random = randomAt(seed, "review", index);
    const onSale = Math.max(1, Math.floor(((index + 1) / reviews) * products));
    const draws = Array.from({ length: DRAWS }, () => random.between(1, onSale));
    const productId = draws.reduce((one, other) => (appeal(other) > appeal(one) ? other : one));
    const quality = 3.2 + 1.6 * randomAt(seed, "quality", productId).next();
    const spread = random.next() + random.next() + random.next() - 1.5;
    const rating = Math.min(5, Math.max(1, Math.round(quality + spread * 2))) as 1 | 2 | 3 | 4 | 5;
    return { productId, rating, random };
  };
}

/**
 * Makes review number `index` (from 0); later ones are
 * younger. `thingOf` answers the kind of a product.
 */
export function reviewMaker(
  sizes: SeedSizes,
  thingOf: (productId: number) => string,
): (index: number) => SeedReview {
  const rate = ratingMaker(sizes);
  return (index) => {
    const { productId, rating, random } = rate(index);
    const { first, second } = OPINIONS[rating];
    const body = [
      random.pick(first).replace("#", thingOf(productId)),
      random.chance(0.7) ? random.pick(second) : "",
    ]
      .filter(Boolean)
      .join(" ");
    const author = `${random.pick(FIRST_NAMES)} ${String.fromCharCode(random.between(65, 90))}.`;
    return {
      id: index + 1,
      productId,
      author,
      rating,
      body,
      createdAt: new Date(OPENED + Math.floor(((index + 1) / sizes.reviews) * AGE_MS)),
    };
  };
}
