/* Shows what a form would send while it is being written. The form names in data-preview where to ask; the answer is
   the whole page, of which the part with id "preview" is taken over. Without this file a button does the same. */
"use strict";
for (const form of document.querySelectorAll("form[data-preview]")) {
  let waiting = 0;
  let asked = 0;
  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(async () => {
      const mine = ++asked;
      let answer;
      try {
        answer = await fetch(form.dataset.preview, { method: "POST", body: new URLSearchParams(new FormData(form)) });
      } catch {
        return; // no network: what is shown stays, and saving will say so
      }
      if (mine !== asked || answer.redirected || !answer.ok) return;
      const shown = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("preview");
      if (shown) document.getElementById("preview").replaceWith(shown);
    }, 300);
  });
}
