/** The seeded shop for the house: living and kitchen. */
import { type Branch, leaf } from "./branch.js";

const FURNITURE: Branch = {
  name: "Furniture",
  children: [
    leaf("Chairs", "CHR", [4900, 48900], {
      kinds: ["Oak", "Walnut", "Beech", "Rattan", "Linen", "Leather", "Ash", "Velvet"],
      things: [
        "Dining Chair",
        "Armchair",
        "Desk Chair",
        "Bar Stool",
        "Rocking Chair",
        "Folding Chair",
      ],
      facts: [
        "Carries up to 120 kg.",
        "The joints are glued and pegged, not screwed.",
        "Felt pads protect the floor.",
        "Arrives assembled.",
      ],
    }),
    leaf("Tables", "TBL", [6900, 129900], {
      kinds: ["Oak", "Walnut", "Marble", "Glass", "Ash", "Pine", "Terrazzo"],
      things: [
        "Dining Table",
        "Coffee Table",
        "Side Table",
        "Console Table",
        "Writing Desk",
        "Bedside Table",
      ],
      facts: [
        "The top is finished with hard-wax oil.",
        "Seats four with room to spare.",
        "Adjustable feet even out old floors.",
        "Legs come off for the move.",
      ],
    }),
    leaf("Sofas", "SOF", [39900, 289900], {
      kinds: ["Linen", "Bouclé", "Velvet", "Leather", "Corduroy", "Wool"],
      things: ["Two-Seat Sofa", "Three-Seat Sofa", "Corner Sofa", "Sofa Bed", "Daybed", "Ottoman"],
      facts: [
        "Covers come off and can be washed at 30 °C.",
        "Pocket springs under a layer of cold foam.",
        "Tested for 50,000 rubs.",
        "The frame is guaranteed for ten years.",
      ],
    }),
    leaf("Shelving", "SHF", [2900, 59900], {
      kinds: ["Oak", "Steel", "Birch", "Pine", "Walnut", "Bamboo"],
      things: [
        "Bookcase",
        "Wall Shelf",
        "Ladder Shelf",
        "Shoe Rack",
        "Sideboard",
        "Record Cabinet",
      ],
      facts: [
        "Every shelf carries 25 kg.",
        "Wall fixings are included.",
        "Shelves sit on steel pins and can be moved.",
        "Made from certified timber.",
      ],
    }),
  ],
};

export const HOME: Branch = {
  name: "Home & Living",
  children: [
    FURNITURE,
    leaf("Lighting", "LGT", [1900, 34900], {
      kinds: ["Brass", "Opal Glass", "Paper", "Ceramic", "Matt Black", "Rattan"],
      things: [
        "Pendant Lamp",
        "Table Lamp",
        "Floor Lamp",
        "Wall Light",
        "Reading Lamp",
        "Bedside Lamp",
      ],
      facts: [
        "Takes an E27 bulb up to 60 W.",
        "Dims without flicker.",
        "The cable is covered in fabric.",
        "Bulb included.",
      ],
    }),
    leaf("Bedding", "BED", [1500, 24900], {
      kinds: ["Washed Linen", "Percale Cotton", "Organic Cotton", "Bamboo", "Flannel", "Merino"],
      things: ["Duvet Cover", "Pillowcase Pair", "Fitted Sheet", "Blanket", "Duvet", "Bedspread"],
      facts: [
        "Softer with every wash.",
        "Certified free of harmful substances.",
        "Closes with hidden buttons.",
        "Washable at 60 °C.",
      ],
    }),
    leaf("Rugs", "RUG", [3900, 119900], {
      kinds: ["Wool", "Jute", "Cotton", "Kilim", "Shaggy", "Recycled"],
      things: ["Rug", "Runner", "Round Rug", "Doormat", "Bath Mat", "Outdoor Rug"],
      facts: [
        "Woven by hand.",
        "Suitable for underfloor heating.",
        "The back does not slip.",
        "Small differences show that no two are alike.",
      ],
    }),
  ],
};

export const KITCHEN: Branch = {
  name: "Kitchen & Dining",
  children: [
    leaf("Cookware", "CKW", [1900, 32900], {
      kinds: ["Cast Iron", "Stainless Steel", "Copper", "Enamelled", "Carbon Steel", "Ceramic"],
      things: [
        "Frying Pan",
        "Saucepan",
        "Casserole",
        "Wok",
        "Grill Pan",
        "Stockpot",
        "Roasting Tin",
      ],
      facts: [
        "Works on every hob, induction included.",
        "Goes from the hob into the oven.",
        "The handle stays cool.",
        "Seasoned and ready to use.",
      ],
    }),
    leaf("Knives", "KNF", [1500, 27900], {
      kinds: ["Damascus", "Forged", "Carbon Steel", "Olive Wood", "Pakkawood", "Stainless"],
      things: [
        "Chef's Knife",
        "Paring Knife",
        "Bread Knife",
        "Santoku",
        "Carving Set",
        "Steak Knife Set",
        "Sharpening Stone",
      ],
      facts: [
        "Hardened to 58 HRC.",
        "Balanced at the bolster.",
        "Wash by hand and dry at once.",
        "Comes with a blade guard.",
      ],
    }),
    leaf("Tableware", "TBW", [900, 15900], {
      kinds: ["Stoneware", "Porcelain", "Speckled", "Glazed", "Ribbed Glass", "Enamel"],
      things: [
        "Dinner Plate Set",
        "Bowl Set",
        "Mug",
        "Serving Platter",
        "Carafe",
        "Tumbler Set",
        "Salad Bowl",
      ],
      facts: [
        "Safe in dishwasher and microwave.",
        "Stacks neatly.",
        "Glazed by hand, so each piece differs a little.",
        "Replacement pieces are sold singly.",
      ],
    }),
    leaf("Coffee & Tea", "CFT", [800, 64900], {
      kinds: ["Glass", "Stainless Steel", "Matt", "Copper", "Cast Iron", "Porcelain"],
      things: [
        "Pour-Over Set",
        "French Press",
        "Espresso Maker",
        "Gooseneck Kettle",
        "Teapot",
        "Burr Grinder",
        "Milk Frother",
      ],
      facts: [
        "Makes four cups.",
        "Every part can be replaced.",
        "Descale every two months for the best taste.",
        "Heat-resistant up to 200 °C.",
      ],
    }),
    leaf("Small Appliances", "APP", [2900, 54900], {
      kinds: ["Compact", "Retro", "Pro", "Quiet", "Brushed Steel", "Digital"],
      things: [
        "Toaster",
        "Blender",
        "Stand Mixer",
        "Kettle",
        "Hand Mixer",
        "Rice Cooker",
        "Air Fryer",
      ],
      facts: [
        "Two years of guarantee.",
        "The cord tucks away underneath.",
        "Removable parts go in the dishwasher.",
        "Switches itself off.",
      ],
    }),
  ],
};
