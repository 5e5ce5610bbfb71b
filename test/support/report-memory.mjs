/**
 * Preloaded into a process under test, with `--expose-gc`: upon SIGWINCH it collects its garbage and
 * prints what it holds then, in bytes.
 */
process.on("SIGWINCH", () => {
  globalThis.gc();
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  process.stdout.write(`${JSON.stringify({ retained: heapUsed + external })}\n`);
});
