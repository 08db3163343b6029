// Passkeys: a form that asks the browser for one before it is sent. Without this, it stays hidden.

const fill = (form, text) => {
  const alert = form.querySelector("[role=alert]");
  alert.textContent = text;
  alert.hidden = !text;
};

async function ask(form) {
  const body = new FormData(form);
  body.set("for", form.dataset.passkey);
  const answer = await fetch(form.dataset.options, { method: "POST", body, credentials: "same-origin" });
  const options = await answer.json();
  if (!answer.ok) throw new Error(options.error);
  const made = form.dataset.passkey === "add"
    ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
    : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
  return JSON.stringify(made.toJSON());
}

if (window.PublicKeyCredential?.parseRequestOptionsFromJSON) {
  document.querySelectorAll("form[data-passkey]").forEach((form) => {
    form.hidden = false;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      fill(form, "");
      const button = form.querySelector("button");
      button.disabled = true;
      try {
        form.elements.credential.value = await ask(form);
        form.submit();
      } catch (error) {
        // Cancelled, or no passkey for this site: the browser's own words are for developers.
        fill(form, error instanceof DOMException || !error.message ? form.dataset.failed : error.message);
        button.disabled = false;
      }
    });
  });
  document.querySelectorAll("[data-without-passkeys]").forEach((words) => { words.hidden = true; });
}
