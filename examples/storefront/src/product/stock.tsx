/** How many pieces can be sold now; a change is read out. */
export function Stock({ pieces, isAnnounced }: { pieces: number; isAnnounced?: boolean }) {
  return (
    <span className="stock" aria-live={isAnnounced ? "polite" : "off"} aria-atomic="true">
      {pieces > 0 ? `${pieces} in stock` : "Sold out"}
    </span>
  );
}
