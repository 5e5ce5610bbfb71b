/**
 * `npm run import -- FILE`: imports products from CSV or NDJSON,
 * all or nothing.
 */

import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { extname } from "node:path";
import { parseArgs } from "node:util";
import { createOutboxTable } from "../db/outbox.js";
import { StartupError } from "../domain/errors.js";
import { own } from "../domain/own.js";
import { type ImportReport, importCatalogue } from "../services/catalogue/import.js";
import { IMPORT_COLUMNS } from "../services/catalogue/import-row.js";
import { createProgress, grouped } from "../telemetry/progress.js";
import { runCommand, usage } from "./command.js";
import { readCsv } from "./read-csv.js";
import { readNdjson } from "./read-ndjson.js";

const IMPORT_USAGE =
  "Usage: npm run import -- FILE [--format csv|ndjson] [--skip-bad]\n\n" +
  "Imports products from a CSV file with a header row, or from NDJSON (one JSON object a line); " +
  "FILE may be - for standard input.\n" +
  `Columns: ${IMPORT_COLUMNS.join(", ")}.\n` +
  '  category   a path of names, e.g. "Home & Living > Furniture > Chairs"; brands and ' +
  "categories are made as needed\n" +
  "  price      a whole number of minor units (cents) in the shop's currency, SHOP_CURRENCY\n\n" +
  "Products are created or changed by sku. Without --skip-bad a single bad row keeps everything " +
  "out (exit code 1).";

interface Arguments {
  readonly file: string;
  readonly format: "csv" | "ndjson";
  readonly skipBad: boolean;
}

const FORMATS: Readonly<Record<string, Arguments["format"]>> = {
  ".csv": "csv",
  ".ndjson": "ndjson",
  ".jsonl": "ndjson",
};

const { file, format, skipBad } = readImportArguments();
await runCommand(async ({ config, database }) => {
  const input = await openInput(file);
  const progress = createProgress();
  const onProgress = (rows: number, phase: "reading" | "merging") =>
    progress.show(
      phase === "merging" ? 1 : input.share(),
      phase === "merging" ? `merging ${grouped(rows)} rows` : `${grouped(rows)} rows read`,
    );
  try {
    const deps = { database, outbox: createOutboxTable(database), currency: config.currency };
    const report = await importCatalogue(
      deps,
      (format === "csv" ? readCsv : readNdjson)(input.bytes()),
      { skipBad, onProgress },
    );
    progress.end();
    return printReport(report);
  } finally {
    progress.end();
  }
});

function readImportArguments(): Arguments {
  try {
    const options = {
      format: { type: "string" },
      "skip-bad": { type: "boolean", default: false },
      help: { type: "boolean", short: "h" },
    } as const;
    const { values, positionals } = parseArgs({ options, allowPositionals: true });
    if (values.help) return usage(IMPORT_USAGE, 0);
    const [path, ...more] = positionals;
    if (path === undefined || more.length > 0) return usage(IMPORT_USAGE, 1);
    const chosen = own(FORMATS, values.format ? `.${values.format}` : extname(path).toLowerCase());
    if (!chosen)
      return usage(
        `Say what format ${path === "-" ? "standard input" : path} has: --format csv or ` +
          "--format ndjson.",
        1,
      );
    return { file: path, format: chosen, skipBad: values["skip-bad"] };
  } catch (error) {
    return usage(`${(error as Error).message}\n\n${IMPORT_USAGE}`, 1);
  }
}

interface ImportInput {
  bytes(): AsyncIterable<Buffer>;
  /** Share that was read, 0..1; null where the size is unknown. */
  share(): number | null;
}

async function openInput(path: string): Promise<ImportInput> {
  const size = path === "-" ? null : await fileSize(path);
  let read = 0;
  return {
    async *bytes() {
      for await (const chunk of path === "-" ? process.stdin : createReadStream(path)) {
        read += (chunk as Buffer).length;
        yield chunk as Buffer;
      }
    },
    share: () => (size ? Math.min(1, read / size) : null),
  };
}

async function fileSize(path: string): Promise<number> {
  const found = await stat(path).catch((error: Error) => {
    throw new StartupError(`${path} cannot be read: ${error.message}.`);
  });
  if (found.isDirectory()) throw new StartupError(`${path} is a folder.`);
  return found.isFile() ? found.size : 0;
}

function printReport({
  imported,
  rows,
  created,
  changed,
  unchanged,
  badCount,
  bad,
}: ImportReport): number {
  for (const { line, reason } of bad) process.stderr.write(`line ${line}: ${reason}\n`);
  if (badCount > bad.length)
    process.stderr.write(`… and ${grouped(badCount - bad.length)} more bad rows\n`);
  if (!imported) {
    process.stderr.write(
      `${grouped(badCount)} bad of ${grouped(rows)} rows: nothing was imported. Correct ` +
        "them, or leave them out with --skip-bad.\n",
    );
    return 1;
  }
  const skipped = badCount > 0 ? `; ${grouped(badCount)} bad rows were left out` : "";
  process.stdout.write(
    `Imported ${grouped(rows - badCount)} products: ${grouped(created)} new, ` +
      `${grouped(changed)} changed, ${grouped(unchanged)} as they were${skipped}.\n`,
  );
  return 0;
}
