/** Where the bounds find the answer to an operation: by its name and its one id. */
export const storedKey = ({ operationName, variables }) =>
  `stored:${operationName}:${variables?.id ?? ""}`;
