/** The seeded shop for the house: electronics. */
import { type Branch, leaf } from "./branch.js";

export const ELECTRONICS: Branch = {
  name: "Electronics",
  children: [
    {
      name: "Audio",
      children: [
        leaf("Headphones", "HPH", [2900, 39900], {
          kinds: ["Wireless", "Noise-Cancelling", "Open-Back", "Studio", "Sport", "True Wireless"],
          things: ["Headphones", "Earbuds", "On-Ear Headphones", "In-Ear Monitors", "Headset"],
          facts: [
            "Plays for 30 hours on a charge.",
            "Ten minutes of charging give three hours of music.",
            "Folds flat.",
            "Ear pads can be replaced.",
          ],
        }),
        leaf("Speakers", "SPK", [3900, 79900], {
          kinds: ["Wireless", "Bookshelf", "Portable", "Waterproof", "Active", "Walnut"],
          things: ["Speaker", "Speaker Pair", "Soundbar", "Subwoofer", "Kitchen Radio"],
          facts: [
            "Pairs with a second one for stereo.",
            "Fills a room of 30 m².",
            "Bluetooth 5.3 and line in.",
            "Lasts a weekend on one charge.",
          ],
        }),
      ],
    },
    {
      name: "Computers",
      children: [
        leaf("Keyboards & Mice", "KEY", [1900, 24900], {
          kinds: ["Mechanical", "Low-Profile", "Silent", "Ergonomic", "Wireless", "Aluminium"],
          things: ["Keyboard", "Mouse", "Trackball", "Numpad", "Wrist Rest", "Compact Keyboard"],
          facts: [
            "Switches between three devices.",
            "Keys are printed so that they never fade.",
            "Charges by USB-C.",
            "Works with Windows, macOS and Linux.",
          ],
        }),
        leaf("Monitors", "MON", [12900, 119900], {
          kinds: [
            "24-Inch",
            "27-Inch 4K",
            "32-Inch 4K",
            "Ultrawide",
            "Portable",
            "Colour-Calibrated",
          ],
          things: [
            "Monitor",
            "USB-C Monitor",
            "Gaming Monitor",
            "Office Monitor",
            "Studio Display",
          ],
          facts: [
            "Charges a laptop with 90 W over the same cable.",
            "The stand turns, tilts and rises.",
            "Covers 98 % of DCI-P3.",
            "No dead pixels, guaranteed.",
          ],
        }),
      ],
    },
    leaf("Cameras", "CAM", [8900, 219900], {
      kinds: ["Compact", "Mirrorless", "Instant", "Action", "35 mm", "Vlogging"],
      things: ["Camera", "Camera Kit", "Prime Lens", "Zoom Lens", "Tripod", "Camera Bag"],
      facts: [
        "Sharp from corner to corner.",
        "Sealed against dust and rain.",
        "Battery and strap included.",
        "Shoots 4K at 60 frames a second.",
      ],
    }),
    leaf("Chargers & Cables", "CHG", [700, 12900], {
      kinds: ["USB-C", "Braided", "Fast", "Magnetic", "Travel", "GaN"],
      things: [
        "Charger",
        "Cable 2 m",
        "Power Bank",
        "Wireless Charger",
        "Hub",
        "Wall Plug",
        "Car Charger",
      ],
      facts: [
        "Stays cool at full load.",
        "Survives 20,000 bends.",
        "Small enough for a trouser pocket.",
        "Tested by an independent laboratory.",
      ],
    }),
  ],
};
