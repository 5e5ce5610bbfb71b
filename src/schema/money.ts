/** Amounts of money. */
import { GraphQLSafeInt } from "graphql-scalars";
import { Field, ObjectType } from "type-graphql";
import type { Money as Amount, CurrencyCode } from "../domain/catalogue/money.js";
import { declareEnum } from "./enums.js";
import { Shared } from "./scope.js";

export const CurrencyCodeEnum = declareEnum<CurrencyCode>({
  name: "CurrencyCode",
  description: "A currency by its ISO 4217 code. One shop sells in exactly one of them.",
  values: {
    USD: "United States dollar; minor unit: cent, 1/100.",
    EUR: "Euro; minor unit: cent, 1/100.",
    GBP: "Pound sterling; minor unit: penny, 1/100.",
    JPY: "Japanese yen; no minor unit, amounts are whole yen.",
    INR: "Indian rupee; minor unit: paisa, 1/100.",
    CHF: "Swiss franc; minor unit: Rappen, 1/100.",
  },
});

@ObjectType({
  description:
    "An exact amount of money: an integer of the currency's minor unit, never a fraction.",
  simpleResolvers: true,
})
export class Money implements Amount {
  @Field(() => GraphQLSafeInt, {
    description: "Amount in minor units: 1999 with EUR is 19.99 euros, 1999 with JPY is 1999 yen.",
  })
  @Shared("PUBLIC", { cached: true })
  amount!: number;

  @Field(() => CurrencyCodeEnum, {
    description: "The currency of the amount; its minor unit says where the decimal point goes.",
  })
  @Shared("PUBLIC", { cached: true })
  currency!: CurrencyCode;
}
