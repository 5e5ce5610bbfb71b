/// <reference types="vite/client" />

interface ImportMetaEnv {
  /** Address of the GraphQL endpoint; see src/shop/address.ts. */
  readonly VITE_API?: string;
}
