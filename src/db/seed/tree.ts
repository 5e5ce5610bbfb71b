/** What the seeded shop sells: fifty categories in a tree, and for each one that holds products, the words its products are made of. */

/** Words of a category's products. */
export interface Assortment {
  /** Begins every sku. */
  readonly code: string;
  /** Lowest and highest usual price, in minor units. */
  readonly price: readonly [number, number];
  readonly kinds: readonly string[];
  readonly things: readonly string[];
  /** Sentences that are true of anything here. */
  readonly facts: readonly string[];
}

/** A category to be: with children, or with products. */
export interface Branch {
  readonly name: string;
  readonly sells?: Assortment;
  readonly children?: readonly Branch[];
}

const leaf = (name: string, code: string, price: readonly [number, number], words: Pick<Assortment, "kinds" | "things" | "facts">): Branch => ({
  name,
  sells: { code, price, ...words },
});

const FURNITURE: Branch = {
  name: "Furniture",
  children: [
    leaf("Chairs", "CHR", [4900, 48900], {
      kinds: ["Oak", "Walnut", "Beech", "Rattan", "Linen", "Leather", "Ash", "Velvet"],
      things: ["Dining Chair", "Armchair", "Desk Chair", "Bar Stool", "Rocking Chair", "Folding Chair"],
      facts: ["Carries up to 120 kg.", "The joints are glued and pegged, not screwed.", "Felt pads protect the floor.", "Arrives assembled."],
    }),
    leaf("Tables", "TBL", [6900, 129900], {
      kinds: ["Oak", "Walnut", "Marble", "Glass", "Ash", "Pine", "Terrazzo"],
      things: ["Dining Table", "Coffee Table", "Side Table", "Console Table", "Writing Desk", "Bedside Table"],
      facts: ["The top is finished with hard-wax oil.", "Seats four with room to spare.", "Adjustable feet even out old floors.", "Legs come off for the move."],
    }),
    leaf("Sofas", "SOF", [39900, 289900], {
      kinds: ["Linen", "Bouclé", "Velvet", "Leather", "Corduroy", "Wool"],
      things: ["Two-Seat Sofa", "Three-Seat Sofa", "Corner Sofa", "Sofa Bed", "Daybed", "Ottoman"],
      facts: ["Covers come off and can be washed at 30 °C.", "Pocket springs under a layer of cold foam.", "Tested for 50,000 rubs.", "The frame is guaranteed for ten years."],
    }),
    leaf("Shelving", "SHF", [2900, 59900], {
      kinds: ["Oak", "Steel", "Birch", "Pine", "Walnut", "Bamboo"],
      things: ["Bookcase", "Wall Shelf", "Ladder Shelf", "Shoe Rack", "Sideboard", "Record Cabinet"],
      facts: ["Every shelf carries 25 kg.", "Wall fixings are included.", "Shelves sit on steel pins and can be moved.", "Made from certified timber."],
    }),
  ],
};

const HOME: Branch = {
  name: "Home & Living",
  children: [
    FURNITURE,
    leaf("Lighting", "LGT", [1900, 34900], {
      kinds: ["Brass", "Opal Glass", "Paper", "Ceramic", "Matt Black", "Rattan"],
      things: ["Pendant Lamp", "Table Lamp", "Floor Lamp", "Wall Light", "Reading Lamp", "Bedside Lamp"],
      facts: ["Takes an E27 bulb up to 60 W.", "Dims without flicker.", "The cable is covered in fabric.", "Bulb included."],
    }),
    leaf("Bedding", "BED", [1500, 24900], {
      kinds: ["Washed Linen", "Percale Cotton", "Organic Cotton", "Bamboo", "Flannel", "Merino"],
      things: ["Duvet Cover", "Pillowcase Pair", "Fitted Sheet", "Blanket", "Duvet", "Bedspread"],
      facts: ["Softer with every wash.", "Certified free of harmful substances.", "Closes with hidden buttons.", "Washable at 60 °C."],
    }),
    leaf("Rugs", "RUG", [3900, 119900], {
      kinds: ["Wool", "Jute", "Cotton", "Kilim", "Shaggy", "Recycled"],
      things: ["Rug", "Runner", "Round Rug", "Doormat", "Bath Mat", "Outdoor Rug"],
      facts: ["Woven by hand.", "Suitable for underfloor heating.", "The back does not slip.", "Small differences show that no two are alike."],
    }),
  ],
};

const KITCHEN: Branch = {
  name: "Kitchen & Dining",
  children: [
    leaf("Cookware", "CKW", [1900, 32900], {
      kinds: ["Cast Iron", "Stainless Steel", "Copper", "Enamelled", "Carbon Steel", "Ceramic"],
      things: ["Frying Pan", "Saucepan", "Casserole", "Wok", "Grill Pan", "Stockpot", "Roasting Tin"],
      facts: ["Works on every hob, induction included.", "Goes from the hob into the oven.", "The handle stays cool.", "Seasoned and ready to use."],
    }),
    leaf("Knives", "KNF", [1500, 27900], {
      kinds: ["Damascus", "Forged", "Carbon Steel", "Olive Wood", "Pakkawood", "Stainless"],
      things: ["Chef's Knife", "Paring Knife", "Bread Knife", "Santoku", "Carving Set", "Steak Knife Set", "Sharpening Stone"],
      facts: ["Hardened to 58 HRC.", "Balanced at the bolster.", "Wash by hand and dry at once.", "Comes with a blade guard."],
    }),
    leaf("Tableware", "TBW", [900, 15900], {
      kinds: ["Stoneware", "Porcelain", "Speckled", "Glazed", "Ribbed Glass", "Enamel"],
      things: ["Dinner Plate Set", "Bowl Set", "Mug", "Serving Platter", "Carafe", "Tumbler Set", "Salad Bowl"],
      facts: ["Safe in dishwasher and microwave.", "Stacks neatly.", "Glazed by hand, so each piece differs a little.", "Replacement pieces are sold singly."],
    }),
    leaf("Coffee & Tea", "CFT", [800, 64900], {
      kinds: ["Glass", "Stainless Steel", "Matt", "Copper", "Cast Iron", "Porcelain"],
      things: ["Pour-Over Set", "French Press", "Espresso Maker", "Gooseneck Kettle", "Teapot", "Burr Grinder", "Milk Frother"],
      facts: ["Makes four cups.", "Every part can be replaced.", "Descale every two months for the best taste.", "Heat-resistant up to 200 °C."],
    }),
    leaf("Small Appliances", "APP", [2900, 54900], {
      kinds: ["Compact", "Retro", "Pro", "Quiet", "Brushed Steel", "Digital"],
      things: ["Toaster", "Blender", "Stand Mixer", "Kettle", "Hand Mixer", "Rice Cooker", "Air Fryer"],
      facts: ["Two years of guarantee.", "The cord tucks away underneath.", "Removable parts go in the dishwasher.", "Switches itself off."],
    }),
  ],
};

const ELECTRONICS: Branch = {
  name: "Electronics",
  children: [
    {
      name: "Audio",
      children: [
        leaf("Headphones", "HPH", [2900, 39900], {
          kinds: ["Wireless", "Noise-Cancelling", "Open-Back", "Studio", "Sport", "True Wireless"],
          things: ["Headphones", "Earbuds", "On-Ear Headphones", "In-Ear Monitors", "Headset"],
          facts: ["Plays for 30 hours on a charge.", "Ten minutes of charging give three hours of music.", "Folds flat.", "Ear pads can be replaced."],
        }),
        leaf("Speakers", "SPK", [3900, 79900], {
          kinds: ["Wireless", "Bookshelf", "Portable", "Waterproof", "Active", "Walnut"],
          things: ["Speaker", "Speaker Pair", "Soundbar", "Subwoofer", "Kitchen Radio"],
          facts: ["Pairs with a second one for stereo.", "Fills a room of 30 m².", "Bluetooth 5.3 and line in.", "Lasts a weekend on one charge."],
        }),
      ],
    },
    {
      name: "Computers",
      children: [
        leaf("Keyboards & Mice", "KEY", [1900, 24900], {
          kinds: ["Mechanical", "Low-Profile", "Silent", "Ergonomic", "Wireless", "Aluminium"],
          things: ["Keyboard", "Mouse", "Trackball", "Numpad", "Wrist Rest", "Compact Keyboard"],
          facts: ["Switches between three devices.", "Keys are printed so that they never fade.", "Charges by USB-C.", "Works with Windows, macOS and Linux."],
        }),
        leaf("Monitors", "MON", [12900, 119900], {
          kinds: ["24-Inch", "27-Inch 4K", "32-Inch 4K", "Ultrawide", "Portable", "Colour-Calibrated"],
          things: ["Monitor", "USB-C Monitor", "Gaming Monitor", "Office Monitor", "Studio Display"],
          facts: ["Charges a laptop with 90 W over the same cable.", "The stand turns, tilts and rises.", "Covers 98 % of DCI-P3.", "No dead pixels, guaranteed."],
        }),
      ],
    },
    leaf("Cameras", "CAM", [8900, 219900], {
      kinds: ["Compact", "Mirrorless", "Instant", "Action", "35 mm", "Vlogging"],
      things: ["Camera", "Camera Kit", "Prime Lens", "Zoom Lens", "Tripod", "Camera Bag"],
      facts: ["Sharp from corner to corner.", "Sealed against dust and rain.", "Battery and strap included.", "Shoots 4K at 60 frames a second."],
    }),
    leaf("Chargers & Cables", "CHG", [700, 12900], {
      kinds: ["USB-C", "Braided", "Fast", "Magnetic", "Travel", "GaN"],
      things: ["Charger", "Cable 2 m", "Power Bank", "Wireless Charger", "Hub", "Wall Plug", "Car Charger"],
      facts: ["Stays cool at full load.", "Survives 20,000 bends.", "Small enough for a trouser pocket.", "Tested by an independent laboratory."],
    }),
  ],
};

const CLOTHING: Branch = {
  name: "Clothing",
  children: [
    leaf("Outerwear", "OUT", [5900, 49900], {
      kinds: ["Waxed Cotton", "Wool", "Down", "Recycled", "Waterproof", "Corduroy"],
      things: ["Parka", "Rain Jacket", "Overcoat", "Chore Jacket", "Gilet", "Trench Coat"],
      facts: ["The seams are taped.", "Two-way zip.", "Falls true to size.", "Deep pockets, inside and out."],
    }),
    leaf("Shirts & Tops", "TOP", [1500, 12900], {
      kinds: ["Oxford", "Linen", "Organic Cotton", "Flannel", "Striped", "Heavyweight"],
      things: ["Shirt", "T-Shirt", "Long-Sleeve Top", "Polo", "Blouse", "Henley"],
      facts: ["Cut a little wide.", "Will not shrink.", "Mother-of-pearl buttons.", "Knitted and sewn in Portugal."],
    }),
    leaf("Knitwear", "KNT", [3900, 24900], {
      kinds: ["Merino", "Lambswool", "Cashmere", "Alpaca", "Cotton", "Ribbed"],
      things: ["Crew-Neck Jumper", "Cardigan", "Roll-Neck", "Slipover", "Beanie", "Scarf"],
      facts: ["Spun from traceable wool.", "Wash on the wool cycle, dry flat.", "Keeps its shape.", "Elbows can be mended with the yarn that comes with it."],
    }),
    {
      name: "Shoes",
      children: [
        leaf("Sneakers", "SNK", [4900, 18900], {
          kinds: ["Leather", "Canvas", "Suede", "Knit", "Recycled", "Retro"],
          things: ["Sneaker", "High-Top", "Slip-On", "Court Shoe", "Running Shoe", "Trail Shoe"],
          facts: ["The insole comes out.", "The sole is stitched on.", "Half sizes available.", "Made with recycled rubber."],
        }),
        leaf("Boots", "BOT", [7900, 34900], {
          kinds: ["Leather", "Suede", "Waterproof", "Lined", "Rubber", "Nubuck"],
          things: ["Chelsea Boot", "Hiking Boot", "Lace-Up Boot", "Rain Boot", "Winter Boot", "Desert Boot"],
          facts: ["Can be resoled.", "Lined with shearling.", "Breaks in within a week.", "Grips on wet stone."],
        }),
      ],
    },
  ],
};

const SPORTS: Branch = {
  name: "Sports & Outdoors",
  children: [
    leaf("Camping", "CMP", [1200, 64900], {
      kinds: ["Ultralight", "Two-Person", "Insulated", "Titanium", "Four-Season", "Compact"],
      things: ["Tent", "Sleeping Bag", "Stove", "Cook Set", "Lantern", "Camping Chair", "Sleeping Mat"],
      facts: ["Packs down to the size of a loaf.", "Stands up in three minutes.", "Comfortable down to 2 °C.", "Repair kit included."],
    }),
    leaf("Cycling", "CYC", [900, 24900], {
      kinds: ["Reflective", "Gravel", "Commuter", "Waterproof", "Carbon", "Classic"],
      things: ["Helmet", "Pannier", "Bike Light Set", "Saddle", "Floor Pump", "Lock", "Multi-Tool"],
      facts: ["Fits without tools.", "Seen from 300 m.", "Meets the current safety standard.", "Spare parts for ten years."],
    }),
    leaf("Yoga & Fitness", "FIT", [900, 29900], {
      kinds: ["Natural Rubber", "Cork", "Adjustable", "Non-Slip", "Foldable", "Cast Iron"],
      things: ["Yoga Mat", "Kettlebell", "Dumbbell Pair", "Resistance Band Set", "Foam Roller", "Yoga Block", "Skipping Rope"],
      facts: ["Wipes clean.", "Does not smell, even when new.", "With a booklet of twelve exercises.", "Grips better when it gets warm."],
    }),
  ],
};

const GARDEN: Branch = {
  name: "Garden",
  children: [
    leaf("Pots & Planters", "POT", [900, 18900], {
      kinds: ["Terracotta", "Glazed", "Fibre Clay", "Zinc", "Woven", "Self-Watering"],
      things: ["Planter", "Plant Pot", "Hanging Pot", "Window Box", "Herb Pot Set", "Plant Stand"],
      facts: ["Frost-proof.", "A hole and a saucer keep roots dry.", "Light enough to carry when planted.", "Ages beautifully outside."],
    }),
    leaf("Garden Tools", "GDT", [900, 14900], {
      kinds: ["Forged", "Ash-Handled", "Stainless", "Long-Handled", "Folding", "Cordless"],
      things: ["Trowel", "Secateurs", "Spade", "Rake", "Watering Can", "Pruning Saw", "Hedge Shears"],
      facts: ["The blade can be sharpened and replaced.", "Made for left and right hands.", "Guaranteed for twenty-five years.", "Hangs on any nail."],
    }),
  ],
};

const PAPER: Branch = {
  name: "Books & Stationery",
  children: [
    leaf("Notebooks", "NTB", [500, 4900], {
      kinds: ["Dotted", "Ruled", "Linen-Bound", "Pocket", "Recycled", "Leather"],
      things: ["Notebook", "Journal", "Planner", "Sketchbook", "Notepad", "Address Book"],
      facts: ["Lies flat when open.", "Paper of 100 g that ink does not bleed through.", "Thread-bound with two ribbons.", "192 numbered pages."],
    }),
    leaf("Pens & Pencils", "PEN", [300, 16900], {
      kinds: ["Brass", "Cedar", "Fine", "Lacquered", "Aluminium", "Calligraphy"],
      things: ["Fountain Pen", "Ballpoint", "Mechanical Pencil", "Pencil Set", "Rollerball", "Brush Pen"],
      facts: ["Takes standard refills.", "Writes at the first touch.", "Comes in a box worth giving.", "Weighs 21 g."],
    }),
    leaf("Art Supplies", "ART", [600, 18900], {
      kinds: ["Artist", "Student", "Water-Soluble", "Heavy-Body", "Travel", "Professional"],
      things: ["Watercolour Set", "Acrylic Set", "Brush Set", "Oil Pastels", "Easel", "Canvas Pack"],
      facts: ["Lightfast for a lifetime.", "Mixes cleanly.", "Certified non-toxic.", "Refills are sold singly."],
    }),
  ],
};

const BEAUTY: Branch = {
  name: "Beauty & Care",
  children: [
    leaf("Skin Care", "SKN", [600, 8900], {
      kinds: ["Hydrating", "Unscented", "Vitamin C", "Oat", "Rose", "Mineral"],
      things: ["Face Cream", "Serum", "Cleanser", "Hand Balm", "Sunscreen SPF 50", "Face Oil", "Body Lotion"],
      facts: ["Free of perfume and alcohol.", "Tested on volunteers, never on animals.", "Lasts about three months.", "The jar can be refilled."],
    }),
    leaf("Hair Care", "HAR", [500, 6900], {
      kinds: ["Nourishing", "Volume", "Argan", "Solid", "Gentle", "Repair"],
      things: ["Shampoo", "Conditioner", "Hair Mask", "Styling Paste", "Hair Oil", "Brush"],
      facts: ["Without silicones.", "Suits coloured hair.", "A little goes a long way.", "Rinses out easily."],
    }),
    leaf("Fragrance", "FRG", [1500, 16900], {
      kinds: ["Cedar", "Fig", "Bergamot", "Amber", "Vetiver", "Neroli"],
      things: ["Eau de Parfum", "Scented Candle", "Room Spray", "Reed Diffuser", "Soap", "Incense"],
      facts: ["Burns for 50 hours.", "Blended in small batches.", "Opens bright and dries down warm.", "The glass is worth keeping."],
    }),
  ],
};

const TOYS: Branch = {
  name: "Toys & Games",
  children: [
    leaf("Board Games", "GAM", [900, 9900], {
      kinds: ["Family", "Cooperative", "Two-Player", "Travel", "Strategy", "Party"],
      things: ["Board Game", "Card Game", "Dice Game", "Puzzle 1000 Pieces", "Quiz", "Chess Set"],
      facts: ["Explained in five minutes.", "A game takes about forty minutes.", "For ages eight and up.", "The box holds everything, sleeves included."],
    }),
    leaf("Building Sets", "BLD", [1200, 19900], {
      kinds: ["Wooden", "Magnetic", "Marble Run", "Space", "Castle", "Railway"],
      things: ["Building Set", "Starter Set", "Extension Set", "Block Box", "Model Kit", "Track Set"],
      facts: ["Fits the sets of other makers.", "Painted with water-based colours.", "For ages three and up.", "Comes in a bag for tidying up."],
    }),
    leaf("Soft Toys", "SFT", [900, 6900], {
      kinds: ["Organic", "Knitted", "Sleepy", "Giant", "Pocket", "Corduroy"],
      things: ["Bear", "Rabbit", "Fox", "Elephant", "Whale", "Dinosaur", "Owl"],
      facts: ["Washable at 40 °C.", "Safe from birth.", "The eyes are stitched, nothing comes off.", "Filled with recycled fibre."],
    }),
  ],
};

/** The whole shop. */
export const SHOP: readonly Branch[] = [HOME, KITCHEN, ELECTRONICS, CLOTHING, SPORTS, GARDEN, PAPER, BEAUTY, TOYS];
