#!/bin/sh
# Check the drawings in docs/ with Mermaid's own parser, which needs Node.js and npm. Without them,
# or without their registry, it says that it is skipped; what Mermaid refuses is always an error.
cd "$(dirname "$0")/../.."
skip() { echo "SKIPPED: the drawings were not checked: $1."; exit 0; }

command -v node >/dev/null && command -v npm >/dev/null || skip "there is no Node.js with npm"
folder=var/diagrams
mkdir -p "$folder"
if ! cmp -s scripts/diagrams/package.json "$folder/installed.json"; then
    cp scripts/diagrams/package.json "$folder/package.json"
    (cd "$folder" && npm install --silent --no-audit --no-fund --no-package-lock >npm.log 2>&1) ||
        skip "npm could not install Mermaid (see $folder/npm.log)"
    cp "$folder/package.json" "$folder/installed.json"
fi
cp scripts/diagrams/check.mjs "$folder/check.mjs"
# Quoted or not, the names of our pages contain no blanks.
exec node "$folder/check.mjs" $(find README.md docs deploy -name '*.md' -exec grep -l '^```mermaid' {} +)
