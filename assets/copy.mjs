// Copies what is served as it came: the typeface with its licence, and HTMX.
import { copyFileSync } from "node:fs";

const to = "../trustportal/static/";
const typeface = "node_modules/@fontsource-variable/atkinson-hyperlegible-next/";
for (const letters of ["latin", "latin-ext"]) {
  for (const style of ["normal", "italic"]) {
    const file = `atkinson-hyperlegible-next-${letters}-wght-${style}.woff2`;
    copyFileSync(`${typeface}files/${file}`, `${to}fonts/${file}`);
  }
}
copyFileSync(`${typeface}LICENSE`, `${to}fonts/atkinson-hyperlegible-next-LICENSE.txt`);
copyFileSync("node_modules/htmx.org/dist/htmx.min.js", `${to}vendor/htmx.min.js`);
