/** One wanted channel on one link, and its confirmation. */
export class ChannelJoin {
  confirmed = false;
  /** A join went on unconfirmed, or its link was lost. */
  doubted: boolean;
  private settle: (refusal: Error | null) => void = () => {};
  private readonly settled = new Promise<Error | null>((resolve) => {
    this.settle = resolve;
  });

  constructor({ doubted } = { doubted: false }) {
    this.doubted = doubted;
  }

  /** "late" when messages may have been missed before. */
  confirm(): "in time" | "late" {
    this.confirmed = true;
    this.settle(null);
    return this.doubted ? "late" : "in time";
  }

  refuse(refusal: Error): void {
    this.settle(refusal);
  }

  /** The refusal; null when confirmed, or in doubt after `patienceMs`. */
  async settledWithin(patienceMs: number): Promise<Error | null> {
    if (this.confirmed) return null;
    let timer: NodeJS.Timeout | undefined;
    const impatience = new Promise<null>((resolve) => {
      timer = setTimeout(() => {
        this.doubted = true;
        resolve(null);
      }, patienceMs);
    });
    const refusal = await Promise.race([this.settled, impatience]);
    clearTimeout(timer);
    return refusal;
  }
}
