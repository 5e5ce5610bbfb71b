/** Whatever a process opens is closed by it, in the opposite order. */

/** Undoes what has been opened, last first. */
export class Closing {
  private readonly steps: (() => unknown)[] = [];
  add(step: () => unknown): void {
    this.steps.unshift(step);
  }
  async run(): Promise<void> {
    for (const step of this.steps.splice(0)) await step();
  }
}
