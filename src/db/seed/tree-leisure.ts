/**
 * The seeded shop for people: clothes, sports, garden, paper,
 * care, toys.
 */
import { type Branch, leaf } from "./branch.js";

export const CLOTHING: Branch = {
  name: "Clothing",
  children: [
    leaf("Outerwear", "OUT", [5900, 49900], {
      kinds: ["Waxed Cotton", "Wool", "Down", "Recycled", "Waterproof", "Corduroy"],
      things: ["Parka", "Rain Jacket", "Overcoat", "Chore Jacket", "Gilet", "Trench Coat"],
      facts: [
        "The seams are taped.",
        "Two-way zip.",
        "Falls true to size.",
        "Deep pockets, inside and out.",
      ],
    }),
    leaf("Shirts & Tops", "TOP", [1500, 12900], {
      kinds: ["Oxford", "Linen", "Organic Cotton", "Flannel", "Striped", "Heavyweight"],
      things: ["Shirt", "T-Shirt", "Long-Sleeve Top", "Polo", "Blouse", "Henley"],
      facts: [
        "Cut a little wide.",
        "Will not shrink.",
        "Mother-of-pearl buttons.",
        "Knitted and sewn in Portugal.",
      ],
    }),
    leaf("Knitwear", "KNT", [3900, 24900], {
      kinds: ["Merino", "Lambswool", "Cashmere", "Alpaca", "Cotton", "Ribbed"],
      things: ["Crew-Neck Jumper", "Cardigan", "Roll-Neck", "Slipover", "Beanie", "Scarf"],
      facts: [
        "Spun from traceable wool.",
        "Wash on the wool cycle, dry flat.",
        "Keeps its shape.",
        "Elbows can be mended with the yarn that comes with it.",
      ],
    }),
    {
      name: "Shoes",
      children: [
        leaf("Sneakers", "SNK", [4900, 18900], {
          kinds: ["Leather", "Canvas", "Suede", "Knit", "Recycled", "Retro"],
          things: ["Sneaker", "High-Top", "Slip-On", "Court Shoe", "Running Shoe", "Trail Shoe"],
          facts: [
            "The insole comes out.",
            "The sole is stitched on.",
            "Half sizes available.",
            "Made with recycled rubber.",
          ],
        }),
        leaf("Boots", "BOT", [7900, 34900], {
          kinds: ["Leather", "Suede", "Waterproof", "Lined", "Rubber", "Nubuck"],
          things: [
            "Chelsea Boot",
            "Hiking Boot",
            "Lace-Up Boot",
            "Rain Boot",
            "Winter Boot",
            "Desert Boot",
          ],
          facts: [
            "Can be resoled.",
            "Lined with shearling.",
            "Breaks in within a week.",
            "Grips on wet stone.",
          ],
        }),
      ],
    },
  ],
};

export const SPORTS: Branch = {
  name: "Sports & Outdoors",
  children: [
    leaf("Camping", "CMP", [1200, 64900], {
      kinds: ["Ultralight", "Two-Person", "Insulated", "Titanium", "Four-Season", "Compact"],
      things: [
        "Tent",
        "Sleeping Bag",
        "Stove",
        "Cook Set",
        "Lantern",
        "Camping Chair",
        "Sleeping Mat",
      ],
      facts: [
        "Packs down to the size of a loaf.",
        "Stands up in three minutes.",
        "Comfortable down to 2 °C.",
        "Repair kit included.",
      ],
    }),
    leaf("Cycling", "CYC", [900, 24900], {
      kinds: ["Reflective", "Gravel", "Commuter", "Waterproof", "Carbon", "Classic"],
      things: ["Helmet", "Pannier", "Bike Light Set", "Saddle", "Floor Pump", "Lock", "Multi-Tool"],
      facts: [
        "Fits without tools.",
        "Seen from 300 m.",
        "Meets the current safety standard.",
        "Spare parts for ten years.",
      ],
    }),
    leaf("Yoga & Fitness", "FIT", [900, 29900], {
      kinds: ["Natural Rubber", "Cork", "Adjustable", "Non-Slip", "Foldable", "Cast Iron"],
      things: [
        "Yoga Mat",
        "Kettlebell",
        "Dumbbell Pair",
        "Resistance Band Set",
        "Foam Roller",
        "Yoga Block",
        "Skipping Rope",
      ],
      facts: [
        "Wipes clean.",
        "Does not smell, even when new.",
        "With a booklet of twelve exercises.",
        "Grips better when it gets warm.",
      ],
    }),
  ],
};

export const GARDEN: Branch = {
  name: "Garden",
  children: [
    leaf("Pots & Planters", "POT", [900, 18900], {
      kinds: ["Terracotta", "Glazed", "Fibre Clay", "Zinc", "Woven", "Self-Watering"],
      things: ["Planter", "Plant Pot", "Hanging Pot", "Window Box", "Herb Pot Set", "Plant Stand"],
      facts: [
        "Frost-proof.",
        "A hole and a saucer keep roots dry.",
        "Light enough to carry when planted.",
        "Ages beautifully outside.",
      ],
    }),
    leaf("Garden Tools", "GDT", [900, 14900], {
      kinds: ["Forged", "Ash-Handled", "Stainless", "Long-Handled", "Folding", "Cordless"],
      things: [
        "Trowel",
        "Secateurs",
        "Spade",
        "Rake",
        "Watering Can",
        "Pruning Saw",
        "Hedge Shears",
      ],
      facts: [
        "The blade can be sharpened and replaced.",
        "Made for left and right hands.",
        "Guaranteed for twenty-five years.",
        "Hangs on any nail.",
      ],
    }),
  ],
};

export const PAPER: Branch = {
  name: "Books & Stationery",
  children: [
    leaf("Notebooks", "NTB", [500, 4900], {
      kinds: ["Dotted", "Ruled", "Linen-Bound", "Pocket", "Recycled", "Leather"],
      things: ["Notebook", "Journal", "Planner", "Sketchbook", "Notepad", "Address Book"],
      facts: [
        "Lies flat when open.",
        "Paper of 100 g that ink does not bleed through.",
        "Thread-bound with two ribbons.",
        "192 numbered pages.",
      ],
    }),
    leaf("Pens & Pencils", "PEN", [300, 16900], {
      kinds: ["Brass", "Cedar", "Fine", "Lacquered", "Aluminium", "Calligraphy"],
      things: [
        "Fountain Pen",
        "Ballpoint",
        "Mechanical Pencil",
        "Pencil Set",
        "Rollerball",
        "Brush Pen",
      ],
      facts: [
        "Takes standard refills.",
        "Writes at the first touch.",
        "Comes in a box worth giving.",
        "Weighs 21 g.",
      ],
    }),
    leaf("Art Supplies", "ART", [600, 18900], {
      kinds: ["Artist", "Student", "Water-Soluble", "Heavy-Body", "Travel", "Professional"],
      things: [
        "Watercolour Set",
        "Acrylic Set",
        "Brush Set",
        "Oil Pastels",
        "Easel",
        "Canvas Pack",
      ],
      facts: [
        "Lightfast for a lifetime.",
        "Mixes cleanly.",
        "Certified non-toxic.",
        "Refills are sold singly.",
      ],
    }),
  ],
};

export const BEAUTY: Branch = {
  name: "Beauty & Care",
  children: [
    leaf("Skin Care", "SKN", [600, 8900], {
      kinds: ["Hydrating", "Unscented", "Vitamin C", "Oat", "Rose", "Mineral"],
      things: [
        "Face Cream",
        "Serum",
        "Cleanser",
        "Hand Balm",
        "Sunscreen SPF 50",
        "Face Oil",
        "Body Lotion",
      ],
      facts: [
        "Free of perfume and alcohol.",
        "Tested on volunteers, never on animals.",
        "Lasts about three months.",
        "The jar can be refilled.",
      ],
    }),
    leaf("Hair Care", "HAR", [500, 6900], {
      kinds: ["Nourishing", "Volume", "Argan", "Solid", "Gentle", "Repair"],
      things: ["Shampoo", "Conditioner", "Hair Mask", "Styling Paste", "Hair Oil", "Brush"],
      facts: [
        "Without silicones.",
        "Suits coloured hair.",
        "A little goes a long way.",
        "Rinses out easily.",
      ],
    }),
    leaf("Fragrance", "FRG", [1500, 16900], {
      kinds: ["Cedar", "Fig", "Bergamot", "Amber", "Vetiver", "Neroli"],
      things: ["Eau de Parfum", "Scented Candle", "Room Spray", "Reed Diffuser", "Soap", "Incense"],
      facts: [
        "Burns for 50 hours.",
        "Blended in small batches.",
        "Opens bright and dries down warm.",
        "The glass is worth keeping.",
      ],
    }),
  ],
};

export const TOYS: Branch = {
  name: "Toys & Games",
  children: [
    leaf("Board Games", "GAM", [900, 9900], {
      kinds: ["Family", "Cooperative", "Two-Player", "Travel", "Strategy", "Party"],
      things: ["Board Game", "Card Game", "Dice Game", "Puzzle 1000 Pieces", "Quiz", "Chess Set"],
      facts: [
        "Explained in five minutes.",
        "A game takes about forty minutes.",
        "For ages eight and up.",
        "The box holds everything, sleeves included.",
      ],
    }),
    leaf("Building Sets", "BLD", [1200, 19900], {
      kinds: ["Wooden", "Magnetic", "Marble Run", "Space", "Castle", "Railway"],
      things: [
        "Building Set",
        "Starter Set",
        "Extension Set",
        "Block Box",
        "Model Kit",
        "Track Set",
      ],
      facts: [
        "Fits the sets of other makers.",
        "Painted with water-based colours.",
        "For ages three and up.",
        "Comes in a bag for tidying up.",
      ],
    }),
    leaf("Soft Toys", "SFT", [900, 6900], {
      kinds: ["Organic", "Knitted", "Sleepy", "Giant", "Pocket", "Corduroy"],
      things: ["Bear", "Rabbit", "Fox", "Elephant", "Whale", "Dinosaur", "Owl"],
      facts: [
        "Washable at 40 °C.",
        "Safe from birth.",
        "The eyes are stitched, nothing comes off.",
        "Filled with recycled fibre.",
      ],
    }),
  ],
};
