// Shows the description. The key of the first space is filled in, so that every call can be tried against this server.
const page = document.getElementById("page");
const reference = SwaggerUIBundle({
  domNode: page,
  url: page.dataset.description,
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  validatorUrl: null,
  onComplete: () => reference.preauthorizeApiKey("bearer", page.dataset.key),
});
