/* Keys for whoever works without a mouse. Every page works without this file.
   An element with data-key="a" is followed, pressed or focused by the key a; j and k walk the rows (data-row);
   Ctrl+Enter in a text field sends its form. */
"use strict";
document.addEventListener("keydown", (event) => {
  const inText = event.target.closest("input, textarea, select");
  if (inText) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && inText.form) {
      event.preventDefault();
      inText.form.requestSubmit();
    } else if (event.key === "Escape") {
      inText.blur();
    }
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "j" || event.key === "k") {
    const rows = [...document.querySelectorAll("[data-row]")];
    const at = rows.indexOf(document.activeElement);
    const next = rows[event.key === "j" ? at + 1 : Math.max(0, at - 1)];
    if (next) next.focus();
    return;
  }
  const found = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (!found) return;
  event.preventDefault();
  if (found.matches("input, textarea, select")) found.focus();
  else found.click();
});
