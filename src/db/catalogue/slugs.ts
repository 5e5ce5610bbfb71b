/**
 * Slugs of categories: readable, unique, and the same for the
 * same tree.
 */

/** "Coffee & Tea" becomes "coffee-tea"; letters of any script stay. */
export function slugify(text: string): string {
  const slug = text
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, "-")
    .replace(/^-|-$/g, "");
  return slug || "category";
}

/**
 * A slug that is not taken, and takes it. First the name's,
 * then with its parents' before it, then with a number.
 * @param path names from the root down
 */
export function freeSlug(path: readonly string[], taken: Set<string>): string {
  const short = slugify(path.at(-1) ?? "");
  const long = slugify(path.join(" "));
  let slug = taken.has(short) ? long : short;
  for (let number = 2; taken.has(slug); number++) slug = `${long}-${number}`;
  taken.add(slug);
  return slug;
}
