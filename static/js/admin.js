// Django labels the question marks of its two-sided selector, but gives them no role that can have a label.
addEventListener("load", () => {
  document.querySelectorAll("span.help-tooltip[aria-label]").forEach((mark) => { mark.role = "img"; });
});
