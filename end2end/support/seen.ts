// What is there for a moment only: it is looked for at every frame, from before it can come.

import type { Page } from "@playwright/test";

/** Waits until there is an element in the page that fits, with that text if any; looks at every frame. */
export const seen = (page: Page, selector: string, text = "") =>
  page.evaluate(
    ([selector, text]) =>
      new Promise<void>((found, missed) => {
        const late = performance.now() + 20_000;
        const look = () => {
          if ([...document.querySelectorAll(selector!)].some((element) => element.textContent.includes(text!))) found();
          else if (performance.now() > late) missed(new Error(`${selector} was never there`));
          else requestAnimationFrame(look);
        };
        look();
      }),
    [selector, text],
  );
