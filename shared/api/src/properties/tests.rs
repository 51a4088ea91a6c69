//! What merchants may write, and that they read the same again.

use super::*;

/// Every writable property, set, in the order and the form in which it is shown.
const ALL: &str = concat!(
    r#"{"invoiceMerchantReference":"RE-2026/1","shippingMethod":"Post \u2013 Express","lineItems":[{"uniqueId":"10000","#,
    r#""name":"B\u00fcrostuhl","quantity":2.5,"amountIncludingTax":49.9,"type":"PRODUCT","sku":"4006381333931","#,
    r#""shippingRequired":true,"taxes":[{"title":"MWST","rate":8.1}],"attributes":{"colour":{"label":"Colour","value":"red"},"#,
    r#""size":"XL"},"discountIncludingTax":0.1},{"uniqueId":"20000","name":"Coupon","quantity":1,"amountIncludingTax":-5,"#,
    r#""type":"DISCOUNT"}],"metaData":{"__proto__":"<b>\u202e","order":"\ud83d\ude00"},"customerId":"K-77","#,
    r#""customerEmailAddress":"maria@example.com","billingAddress":{"salutation":"Frau","givenName":"Maria","familyName":"Muster","#,
    r#""dateOfBirth":"1985-03-27","gender":"FEMALE","socialSecurityNumber":"756.9217.0769.85","organizationName":"Muster AG","#,
    r#""commercialRegisterNumber":"CHE-123.456.788","salesTaxNumber":"CHE-123.456.788 MWST","legalOrganizationForm":7,"#,
    r#""street":"Weg 1\nHinterhaus","postcode":"8001","city":"Z\u00fcrich","postalState":"ZH","country":"CH","#,
    r#""dependentLocality":"Kreis 1","sortingCode":"1","emailAddress":"m@example.com","phoneNumber":"+41 44 123 45 67","#,
    r#""mobilePhoneNumber":"+4915112345678"},"shippingAddress":{"city":"Bern"},"language":"de-CH","timeZone":"Europe/Zurich","#,
    r#""customersPresence":"NOT_PRESENT","deviceSessionIdentifier":"session-0001","successUrl":"https://shop.example/ok","#,
    r#""failedUrl":"https://shop.example/no","allowedPaymentMethodBrands":[1457546097598],"#,
    r#""allowedPaymentMethodConfigurations":[1,2],"spaceViewId":3,"emailsDisabled":false,"environment":"PREVIEW","#,
    r#""environmentSelectionStrategy":"USE_CONFIGURATION","completionBehavior":"COMPLETE_DEFERRED","autoConfirmationEnabled":true,"#,
    r#""chargeRetryEnabled":false,"tokenizationMode":"FORCE_UPDATE","token":9007199254740991}"#
);

fn properties(body: &str) -> Result<Properties, Refusal> {
    let mut object = Object::parse(body.as_bytes())?;
    let properties = read(&mut object);
    object.finish().map(|()| properties)
}

fn shown(properties: &Properties) -> String {
    let mut out = Vec::new();
    show(properties, &mut out);
    Json::Object(out).write()
}

/// The code of the refusal, with the pointers of flaws and of card data.
fn refusal(body: &str) -> String {
    match properties(body) {
        Ok(_) => String::new(),
        Err(Refusal::InvalidRequest(flaws)) => flaws.iter().map(|flaw| flaw.pointer.as_str()).collect::<Vec<_>>().join(" "),
        Err(Refusal::CardDataNotAllowed { pointer }) => format!("card-data-not-allowed {pointer}"),
        Err(other) => other.code().to_owned(),
    }
}

#[test]
fn every_property_is_shown_as_it_was_written() {
    let plain: serde_json::Value = serde_json::from_str(ALL).unwrap();
    let escaped = ALL.split(r"\ud83d\ude00").collect::<Vec<_>>().join("\u{1f600}");
    let expected = [(r"\u2013", "\u{2013}"), (r"\u00fc", "\u{fc}"), (r"\u202e", "\u{202e}")]
        .iter()
        .fold(escaped, |text, (escape, character)| text.replace(escape, character));
    let written = shown(&properties(ALL).unwrap());
    assert_eq!(written, expected);
    assert_eq!(plain.as_object().map(serde_json::Map::len), Some(25));
}

#[test]
fn nothing_is_shown_that_was_not_set() {
    assert_eq!(properties(""), Ok(Properties::default()));
    assert_eq!(shown(&Properties::default()), "{}");
}

#[test]
fn each_limit_has_its_place() {
    let long = |n: usize| "x".repeat(n);
    for (body, place) in [
        (format!(r#"{{"shippingMethod":"{}"}}"#, long(201)), "/shippingMethod"),
        (format!(r#"{{"invoiceMerchantReference":"{}"}}"#, long(101)), "/invoiceMerchantReference"),
        (r#"{"invoiceMerchantReference":"a\r\nb"}"#.into(), "/invoiceMerchantReference"),
        (format!(r#"{{"customerEmailAddress":"{}"}}"#, long(255)), "/customerEmailAddress"),
        (
            format!(r#"{{"billingAddress":{{"salutation":"{}","street":"{}"}}}}"#, long(21), long(301)),
            "/billingAddress/salutation /billingAddress/street",
        ),
        (
            r#"{"billingAddress":{"dateOfBirth":"1985-02-30","country":"ch","gender":"X"}}"#.into(),
            "/billingAddress/dateOfBirth /billingAddress/gender /billingAddress/country",
        ),
        (r#"{"deviceSessionIdentifier":"short"}"#.into(), "/deviceSessionIdentifier"),
        (r#"{"successUrl":"javascript:alert(1)"}"#.into(), "/successUrl"),
        (r#"{"language":"de_CH","timeZone":"Mars/"}"#.into(), "/language /timeZone"),
        (r#"{"token":0,"spaceViewId":-1}"#.into(), "/spaceViewId /token"),
        (r#"{"allowedPaymentMethodBrands":[1,"2"]}"#.into(), "/allowedPaymentMethodBrands/1"),
        (r#"{"environment":"TEST"}"#.into(), "/environment"),
        (r#"{"metaData":{"a":1,"b":null}}"#.into(), "/metaData/a /metaData/b"),
        (r#"{"metaData":{"a":"1","a":"2"}}"#.into(), "/metaData/a"),
        (r#"{"metaData":[]}"#.into(), "/metaData"),
        (r#"{"state":"AUTHORIZED"}"#.into(), "/state"),
    ] {
        assert_eq!(refusal(&body), place, "{body}");
    }
}

#[test]
fn lines_are_complete_and_distinct() {
    let line = r#""name":"n","quantity":1,"amountIncludingTax":"1.00","type":"PRODUCT""#;
    for (lines, place) in [
        (
            r#"[{}]"#.into(),
            ["uniqueId", "name", "quantity", "amountIncludingTax", "type"].map(|name| format!("/lineItems/0/{name}")).join(" "),
        ),
        (format!(r#"[{{"uniqueId":"a",{line}}},{{"uniqueId":"a",{line}}}]"#), "/lineItems/1/uniqueId".into()),
        (format!(r#"[{{"uniqueId":"",{line}}},{{"uniqueId":"",{line}}}]"#), "/lineItems/0/uniqueId /lineItems/1/uniqueId".into()),
        (
            format!(r#"[{{"uniqueId":"a","taxes":[{{"title":"t","rate":101}}],{line}}}]"#),
            "/lineItems/0/taxes/0/title /lineItems/0/taxes/0/rate".into(),
        ),
        (format!(r#"[{{"uniqueId":"a","attributes":{{"a":{{"label":"x"}}}},{line}}}]"#), "/lineItems/0/attributes/a/value".into()),
        (format!(r#"[{{"uniqueId":"a","unitPrice":1,{line}}}]"#), "/lineItems/0/unitPrice".into()),
        (r#"[{"uniqueId":"a","name":"n","quantity":1,"amountIncludingTax":1e2,"type":"PRODUCT"}]"#.into(), "invalid-amount".into()),
        (format!(r#"[{{"uniqueId":"a",{line}}},{{"uniqueId":"b",{line}}}]"#), String::new()),
    ] {
        assert_eq!(refusal(&format!(r#"{{"lineItems":{lines}}}"#)), place, "{lines}");
    }
}

#[test]
fn meta_data_has_its_own_limits() {
    let entry = |n: usize| format!(r#""k{n}":"v""#);
    let entries = |n: usize| (0..n).map(entry).collect::<Vec<_>>().join(",");
    for body in
        [entries(51), entries(300), format!(r#""{}":"v""#, "k".repeat(41)), format!(r#""k":"{}""#, "v".repeat(501)), r#""":"v""#.into()]
    {
        assert_eq!(refusal(&format!(r#"{{"metaData":{{{body}}}}}"#)), "metadata-limit", "{body}");
    }
    assert_eq!(refusal(&format!(r#"{{"metaData":{{{}}}}}"#, entries(50))), "");
}

#[test]
fn a_card_number_is_found_wherever_text_is_free() {
    const PAN: &str = "4111 1111-1111 1111";
    for (body, place) in [
        (r#"{"metaData":{"note":"card PAN"}}"#, "/metaData/note"),
        (r#"{"metaData":{"PAN":"x"}}"#, "/metaData"),
        (r#"{"shippingMethod":"PAN"}"#, "/shippingMethod"),
        (r#"{"customerId":"PAN"}"#, "/customerId"),
        (r#"{"billingAddress":{"familyName":"Muster PAN"}}"#, "/billingAddress/familyName"),
        (r#"{"invoiceMerchantReference":"PAN"}"#, "/invoiceMerchantReference"),
        (r#"{"successUrl":"https://shop.example/?card=4111111111111111"}"#, "/successUrl"),
        (r#"{"token":4111111111111111}"#, "/token"),
        (r#"{"lineItems":[{"uniqueId":"a","name":"PAN","quantity":1,"amountIncludingTax":1,"type":"FEE"}]}"#, "/lineItems/0/name"),
        (
            r#"{"lineItems":[{"uniqueId":"a","name":"n","quantity":1,"amountIncludingTax":1,"type":"FEE","attributes":{"x":"PAN"}}]}"#,
            "/lineItems/0/attributes/x",
        ),
    ] {
        assert_eq!(refusal(&body.replace("PAN", PAN)), format!("card-data-not-allowed {place}"), "{body}");
    }
}
