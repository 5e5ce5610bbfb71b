/**
 * `npm run seed -- [--products N]`: fills an empty database with
 * a shop to try things on.
 */
import { parseArgs } from "node:util";
import { seedCatalogue, seedSizes } from "../db/seed/seed.js";
import { createProgress, grouped } from "../telemetry/progress.js";
import { runCommand, usage } from "./command.js";

const SEED_USAGE =
  "Usage: npm run seed -- [--products N]\n\n" +
  "Fills an empty database with N products (default 10,000) and reviews, brands and categories " +
  "to match.\n" +
  "The rows are the same every time. A database that already has a catalogue is left alone.";

const MAX_PRODUCTS = 1_000_000;

const productCount = readSeedArguments();
await runCommand(async ({ database }) => {
  const sizes = seedSizes(productCount);
  const progress = createProgress();
  const seeded = await seedCatalogue(database, {
    ...sizes,
    onProgress: (done, all) => progress.show(done / all, `${grouped(done)} rows`),
  });
  progress.end();
  process.stdout.write(
    seeded
      ? `Seeded ${grouped(sizes.products)} products, ${grouped(sizes.reviews)} reviews, ` +
          `${grouped(sizes.brands)} brands and ${sizes.categories} categories.\n`
      : "The database already has a catalogue; nothing was changed.\n",
  );
  return 0;
});

function readSeedArguments(): number {
  try {
    const { values } = parseArgs({
      options: {
        products: { type: "string", default: "10000" },
        help: { type: "boolean", short: "h" },
      },
    });
    if (values.help) return usage(SEED_USAGE, 0);
    const count = Number(values.products);
    if (!Number.isInteger(count) || count < 1 || count > MAX_PRODUCTS)
      return usage(
        `--products must be a whole number from 1 to ${grouped(MAX_PRODUCTS)}.\n\n${SEED_USAGE}`,
        1,
      );
    return count;
  } catch (error) {
    return usage(`${(error as Error).message}\n\n${SEED_USAGE}`, 1);
  }
}
