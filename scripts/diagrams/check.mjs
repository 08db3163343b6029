// Let Mermaid parse every drawing of the documentation: `node check.mjs FILE.md…`.
import { readFileSync } from "node:fs";
import { JSDOM } from "jsdom";

// Mermaid is written for a browser: it cleans texts with the page's own parser.
const { window } = new JSDOM("");
Object.assign(globalThis, { window, document: window.document });
const { default: mermaid } = await import("mermaid");

let drawings = 0;
const wrong = [];
for (const file of process.argv.slice(2)) {
  const page = readFileSync(file, "utf8");
  for (const found of page.matchAll(/^```mermaid\n([\s\S]*?)^```$/gm)) {
    drawings += 1;
    try {
      await mermaid.parse(found[1]);
    } catch (error) {
      const line = page.slice(0, found.index).split("\n").length;
      wrong.push(`${file}:${line}: ${error.message}`);
    }
  }
}
console.log(`${drawings} drawings, ${wrong.length} that Mermaid can't read`);
wrong.forEach((each) => console.error(each));
process.exit(wrong.length || drawings === 0 ? 1 : 0);
