/** Who is signed in. */
import { useQuery } from "@apollo/client/react";
import { graphql } from "../generated";
import type { ViewerQuery } from "../generated/graphql";

const VIEWER = graphql(`
  query Viewer {
    viewer {
      email
      user {
        id
        name
      }
    }
  }
`);

export interface ViewerState {
  /** Null for a guest; undefined while it is not known. */
  readonly viewer: ViewerQuery["viewer"] | undefined;
  readonly error: unknown;
  readonly refetch: () => void;
}

export function useViewer(): ViewerState {
  const { data, error, refetch } = useQuery(VIEWER);
  return { viewer: data?.viewer, error, refetch: () => void refetch().catch(() => {}) };
}
