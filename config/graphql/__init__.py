"""GraphQL at `/api/graphql`: the reading half of the JSON API as one schema. See decision 29."""
