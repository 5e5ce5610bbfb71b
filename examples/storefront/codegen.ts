/**
 * Types of every operation in `src`, from the schema of the shop. Outside of this repository,
 * `schema` is a copy of the SDL or the address of a shop in development.
 */
import type { CodegenConfig } from "@graphql-codegen/cli";

const config: CodegenConfig = {
  schema: "../../src/schema/schema.graphql",
  documents: ["src/**/*.{ts,tsx}", "!src/generated/**"],
  ignoreNoDocuments: true,
  generates: {
    "./src/generated/": {
      preset: "client",
      // The usual name, `useFragment`, would look like a hook; it is none.
      presetConfig: { fragmentMasking: { unmaskFunctionName: "readFragment" } },
      config: {
        useTypeImports: true,
        enumsAsTypes: true,
        onlyOperationTypes: true,
        // A selected field is always in the answer, null or not.
        avoidOptionals: { field: true, inputValue: false, object: false, defaultValue: false },
        strictScalars: true,
        defaultScalarType: "unknown",
        // ISO 8601 in UTC; JSON has no dates.
        scalars: { DateTime: "string", SafeInt: "number" },
      },
    },
  },
};

export default config;
