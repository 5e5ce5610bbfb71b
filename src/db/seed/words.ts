/**
 * Words of the seeded shop beyond its categories: brands,
 * product lines, people, and reviews.
 */

/** Families of brand names; see {@link BRAND_FORMS}. */
export const BRAND_WORDS = [
  ...[
    "Hartwell",
    "Nordby",
    "Kestrel",
    "Maren",
    "Osterby",
    "Fennick",
    "Lindqvist",
    "Calder",
    "Amaro",
    "Tamsin",
    "Brightwater",
    "Okafor",
    "Solveig",
  ],
  ...[
    "Harrow",
    "Pemberly",
    "Ravello",
    "Takeda",
    "Winslow",
    "Corvo",
    "Elmhurst",
    "Juniper",
    "Marlowe",
    "Nakano",
    "Pellier",
    "Quill",
    "Rosendal",
  ],
  ...[
    "Saltmarsh",
    "Thornbury",
    "Umber",
    "Vasari",
    "Wexford",
    "Yarrow",
    "Zephyr",
    "Alder",
    "Bellweather",
    "Copperline",
    "Dovetail",
    "Everly",
    "Foxglove",
    "Greycoat",
  ],
] as const;

/**
 * `*` stands for the word. Forty words in eight forms make
 * 320 brands.
 */
export const BRAND_FORMS = [
  "*",
  "* & Co.",
  "* Studio",
  "House of *",
  "* Supply",
  "* Works",
  "Atelier *",
  "* Goods",
] as const;

/** Product lines: the first word of a product's name. */
export const LINES = [
  ...[
    "Aria",
    "Basel",
    "Cove",
    "Dalby",
    "Ebba",
    "Fjord",
    "Grove",
    "Holm",
    "Isla",
    "Juno",
    "Kyoto",
    "Lund",
    "Malmo",
    "Nova",
    "Oslo",
    "Porto",
    "Quinn",
    "Rhine",
  ],
  ...[
    "Siena",
    "Tove",
    "Uma",
    "Vale",
    "Wren",
    "Ystad",
    "Zola",
    "Arden",
    "Brio",
    "Celeste",
    "Dune",
    "Ember",
    "Flint",
    "Haven",
    "Ivo",
    "Lago",
    "Mira",
    "Nell",
  ],
  ...[
    "Otto",
    "Pilot",
    "Runa",
    "Sol",
    "Terra",
    "Vega",
    "Willow",
    "Alba",
    "Birk",
    "Cleo",
    "Delta",
    "Enzo",
    "Faro",
    "Gala",
  ],
] as const;

/**
 * Beginnings of a description; `#` stands for the product,
 * e.g. "oak dining chair".
 */
export const INTRODUCTIONS = [
  "A # for every day.",
  "A # that does one thing and does it well.",
  "Our best-loved #, now in its third edition.",
  "A # made to be used, repaired and handed on.",
  "This # brings calm to a busy home.",
  "A # designed in our own workshop.",
  "The # we wanted for ourselves and could not find.",
  "A # with nothing to add and nothing to take away.",
] as const;

/** Ends of a description. */
export const CLOSINGS = [
  "Ships within two working days.",
  "Send it back within thirty days if it is not right.",
  "Packed without plastic.",
  "A good present, too.",
  "Pairs well with the rest of the line.",
] as const;

/** Reviewers, as they sign: first name and initial. */
export const FIRST_NAMES = [
  ...[
    "Amara",
    "Ben",
    "Clara",
    "Dmitri",
    "Elif",
    "Farid",
    "Greta",
    "Hugo",
    "Ines",
    "Jonas",
    "Kaia",
    "Leon",
    "Mei",
    "Nadia",
    "Oscar",
    "Priya",
    "Quentin",
    "Rosa",
  ],
  ...[
    "Sam",
    "Tariq",
    "Ulla",
    "Vera",
    "Wim",
    "Ximena",
    "Yusuf",
    "Zoe",
    "Anton",
    "Bea",
    "Cem",
    "Dora",
    "Emil",
    "Fatou",
    "Gus",
    "Hana",
  ],
] as const;

/**
 * Reviews by stars; `#` stands for the thing, e.g. "dining
 * chair". The second sentence is left out now and then.
 */
export const OPINIONS: Readonly<
  Record<
    1 | 2 | 3 | 4 | 5,
    { readonly first: readonly string[]; readonly second: readonly string[] }
  >
> = {
  5: {
    first: [
      "Exactly what I hoped for.",
      "The best # I have owned.",
      "Even better than in the pictures.",
      "I would buy this # again at once.",
      "Beautifully made.",
      "Worth every cent.",
    ],
    second: [
      "Arrived a day early, well packed.",
      "Bought a second one for my sister.",
      "Everybody who visits asks about it.",
      "After six months it still looks new.",
      "You can feel the quality.",
    ],
  },
  4: {
    first: [
      "Very happy with this #.",
      "Good quality for the price.",
      "Does what it should.",
      "A solid #, nicely finished.",
      "Almost perfect.",
    ],
    second: [
      "The colour is a touch darker than on my screen.",
      "Delivery took a week, hence one star less.",
      "The instructions could be clearer.",
      "I would have liked one size larger.",
      "Would recommend it all the same.",
    ],
  },
  3: {
    first: [
      "It is all right.",
      "A decent #, no more.",
      "Does the job, but I expected a little more.",
      "Mixed feelings about this #.",
    ],
    second: [
      "Fine for the price.",
      "The finish is uneven in places.",
      "Customer service was friendly, though.",
      "I am keeping it, but only just.",
      "Looks better from afar.",
    ],
  },
  2: {
    first: [
      "Not what I expected.",
      "A disappointing #.",
      "Looks good, feels cheap.",
      "I had hoped for better.",
    ],
    second: [
      "One corner was scratched.",
      "Smaller than it looks.",
      "It started to wobble after two weeks.",
      "Sent it back and got my money quickly, at least.",
      "The old version was better.",
    ],
  },
  1: {
    first: [
      "Broke within a month.",
      "Would not buy this # again.",
      "Arrived damaged, and so did the replacement.",
      "Save your money.",
    ],
    second: [
      "Still waiting for an answer from support.",
      "Nothing like the description.",
      "Went straight back.",
      "I cannot recommend it.",
    ],
  },
};
