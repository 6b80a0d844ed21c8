//! How a form is declared: as a struct, from which its fields are read and described.

use serde_json::Value;

use super::id::{Id, MAX_ID_CHARS};
use super::schema::Schema;

/// The fields of a form, in declaration order. A field that is sent but not declared is ignored.
pub type FormSpec = [Field];

/// One declared field.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// What clients call it.
    pub name: &'static str,
    /// What it takes.
    pub kind: FieldKind,
    /// The longest text that it takes, in characters.
    pub max_chars: usize,
    /// Whether errors never contain the value.
    pub is_secret: bool,
    /// Whether its text is JSON, so that a body of JSON may have the value itself.
    pub is_json: bool,
    /// Its text in the API's description; empty where the name is enough.
    pub about: &'static str,
    /// For the description too: what a handler accepts of this text. Empty: anything.
    pub pattern: &'static str,
    /// For the description, of a [`FieldKind::Value`]: what its handler accepts.
    pub schema: Schema,
}

/// What a field takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    /// A text; the empty string is one. Of several the last counts.
    Text {
        /// Whether it must be sent.
        required: bool,
    },
    /// A boolean: `1 0 true false t f yes no y n on off` in any case. Of several the last counts.
    Boolean {
        /// Whether it must be sent. Where it need not, an empty text is as good as none.
        required: bool,
    },
    /// A text that may come any number of times, none included.
    Texts,
    /// A JSON value, `null` too. What it must be, its handler says. In a form that is no JSON it is a text, and an empty
    /// one is `null`.
    Value,
    /// Uploaded files, any number, none included. The untouched file input of a browser counts as an empty file
    /// without a name.
    Files {
        /// Whether the endpoint answers 400 if there is none. Only the description uses it.
        required: bool,
    },
}

impl Field {
    /// Refuses a text of more than `max` characters: 422 `string_too_long`.
    pub const fn max_chars(mut self, max: usize) -> Self {
        self.max_chars = max;
        self
    }

    /// Never shows what was sent as this text, in no error either.
    pub const fn secret(mut self) -> Self {
        self.is_secret = true;
        self
    }

    /// In a body of JSON it may be a number or an object, which is its text.
    pub const fn json(mut self) -> Self {
        self.is_json = true;
        self
    }

    /// Adds the meaning of the field to the API's description.
    pub const fn about(mut self, about: &'static str) -> Self {
        self.about = about;
        self
    }

    /// Adds to the API's description which texts the handler accepts, as a regular expression of JSON Schema. The form
    /// itself takes any.
    pub const fn pattern(mut self, pattern: &'static str) -> Self {
        self.pattern = pattern;
        self
    }

    /// Adds to the API's description what the handler accepts of a value.
    pub const fn schema(mut self, schema: Schema) -> Self {
        self.schema = schema;
        self
    }

    /// A field whose type decides what it takes.
    pub const fn new(name: &'static str, kind: FieldKind) -> Self {
        Self {
            name,
            kind,
            max_chars: usize::MAX,
            is_secret: false,
            is_json: false,
            about: "",
            pattern: "",
            schema: Schema::Anything,
        }
    }
}

/// What was received for a field, after the check against its [`FieldKind`].
#[derive(Debug)]
pub enum FieldValue<F> {
    /// For [`FieldKind::Text`].
    Text(Option<String>),
    /// For [`FieldKind::Boolean`].
    Boolean(Option<bool>),
    /// For [`FieldKind::Texts`].
    Texts(Vec<String>),
    /// For [`FieldKind::Value`]; `None`: it was not sent.
    Value(Option<Value>),
    /// For [`FieldKind::Files`].
    Files(Vec<F>),
}

/// A struct that [`form!`] declares. `F` is what becomes of an uploaded file.
pub trait FromForm<F>: Sized {
    /// Its fields.
    const SPEC: &'static FormSpec;

    /// The struct, from what was received for each of its fields in their order.
    fn from_values(fields: Vec<FieldValue<F>>) -> Option<Self>;
}

/// What a field of a form can be.
pub trait FieldType<F>: Sized {
    /// What it takes.
    const KIND: FieldKind;
    /// The longest text that it takes, in characters.
    const MAX_CHARS: usize = usize::MAX;

    /// The value, if this was received for a field of this kind.
    fn from_value(value: FieldValue<F>) -> Option<Self>;
}

impl<F> FieldType<F> for String {
    const KIND: FieldKind = FieldKind::Text { required: true };

    fn from_value(value: FieldValue<F>) -> Option<Self> {
        match value {
            FieldValue::Text(text) => text,
            _ => None,
        }
    }
}

impl<F> FieldType<F> for Option<String> {
    const KIND: FieldKind = FieldKind::Text { required: false };

    fn from_value(value: FieldValue<F>) -> Option<Self> {
        match value {
            FieldValue::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl<F> FieldType<F> for Option<Value> {
    const KIND: FieldKind = FieldKind::Value;
    const MAX_CHARS: usize = 100;

    fn from_value(value: FieldValue<F>) -> Option<Self> {
        match value {
            FieldValue::Value(value) => Some(value),
            _ => None,
        }
    }
}

impl<F> FieldType<F> for Vec<String> {
    const KIND: FieldKind = FieldKind::Texts;

    fn from_value(value: FieldValue<F>) -> Option<Self> {
        match value {
            FieldValue::Texts(texts) => Some(texts),
            _ => None,
        }
    }
}

impl<F> FieldType<F> for bool {
    const KIND: FieldKind = FieldKind::Boolean { required: true };

    fn from_value(value: FieldValue<F>) -> Option<Self> {
        match value {
            FieldValue::Boolean(boolean) => boolean,
            _ => None,
        }
    }
}

impl<F> FieldType<F> for Option<bool> {
    const KIND: FieldKind = FieldKind::Boolean { required: false };

    fn from_value(value: FieldValue<F>) -> Option<Self> {
        match value {
            FieldValue::Boolean(boolean) => Some(boolean),
            _ => None,
        }
    }
}

impl<F, T> FieldType<F> for Id<T> {
    const KIND: FieldKind = FieldKind::Text { required: true };
    const MAX_CHARS: usize = MAX_ID_CHARS;

    fn from_value(value: FieldValue<F>) -> Option<Self> {
        String::from_value(value).map(Self::from)
    }
}

/// An empty id counts as none: FastAPI takes an empty value of an optional field for none.
impl<F, T> FieldType<F> for Option<Id<T>> {
    const KIND: FieldKind = FieldKind::Text { required: false };
    const MAX_CHARS: usize = MAX_ID_CHARS;

    fn from_value(value: FieldValue<F>) -> Option<Self> {
        let text = Option::<String>::from_value(value)?;
        Some(text.filter(|id| !id.is_empty()).map(Id::from))
    }
}

impl<F, T> FieldType<F> for Vec<Id<T>> {
    const KIND: FieldKind = FieldKind::Texts;
    const MAX_CHARS: usize = MAX_ID_CHARS;

    fn from_value(value: FieldValue<F>) -> Option<Self> {
        let texts = Vec::<String>::from_value(value)?;
        Some(texts.into_iter().map(Id::from).collect())
    }
}

/// Uploaded files, any number of them.
#[derive(Debug)]
pub struct Files<F>(pub Vec<F>);

impl<F> FieldType<F> for Files<F> {
    const KIND: FieldKind = FieldKind::Files { required: false };

    fn from_value(value: FieldValue<F>) -> Option<Self> {
        match value {
            FieldValue::Files(files) => Some(Self(files)),
            _ => None,
        }
    }
}

/// Uploaded files, where the endpoint answers 400 if there is none.
#[derive(Debug)]
pub struct RequiredFiles<F>(pub Vec<F>);

impl<F> FieldType<F> for RequiredFiles<F> {
    const KIND: FieldKind = FieldKind::Files { required: true };

    fn from_value(value: FieldValue<F>) -> Option<Self> {
        Files::from_value(value).map(|files| Self(files.0))
    }
}

/// Declares a form as a struct. The type of a field decides what it takes, its documentation is what the description
/// says of it, and what follows `=>` are methods of [`Field`]:
///
/// ```ignore
/// form! {
///     /// The form of [`NEW`].
///     pub struct NewModel {
///         user_id: UserId,
///         /// What the endpoint calls the model.
///         name: String => max_chars(MAX_NAME_CHARS),
///         ak: String => max_chars(4096) secret() pattern(KEY),
///     }
/// }
/// ```
///
/// A form with files names what becomes of one: `pub struct Upload<F> { files: RequiredFiles<F> }`.
macro_rules! form {
    (
        $(#[doc = $docs:literal])+
        pub struct $name:ident $(<$file:ident>)? {
            $($(#[doc = $about:literal])* $field:ident: $type:ty
                $(=> $($option:ident($($value:expr)?))+)?,)+
        }
    ) => {
        $(#[doc = $docs])+
        #[derive(Debug)]
        pub struct $name $(<$file>)? {
            $(
                #[doc = concat!("The field `", stringify!($field), "`.")]
                $(#[doc = $about])*
                pub $field: $type,
            )+
        }

        $crate::form::form!(@impl $name ($($file)?) {
            $($field: $type, [concat!($($about),*).trim_ascii()] [$($($option($($value)?))+)?];)+
        });
    };
    (@impl $name:ident () $fields:tt) => {
        $crate::form::form!(@body (<F>) $name ($name) F $fields);
    };
    (@impl $name:ident ($file:ident) $fields:tt) => {
        $crate::form::form!(@body (<$file>) $name ($name<$file>) $file $fields);
    };
    (@body (<$param:ident>) $name:ident ($self:ty) $file:ident {
        $($field:ident: $type:ty, [$about:expr] [$($option:ident($($value:expr)?))*];)+
    }) => {
        impl<$param> $crate::form::FromForm<$file> for $self {
            const SPEC: &'static $crate::form::FormSpec = &[$(
                $crate::form::Field::new(
                    stringify!($field),
                    <$type as $crate::form::FieldType<$file>>::KIND,
                )
                .max_chars(<$type as $crate::form::FieldType<$file>>::MAX_CHARS)
                .about($about)
                $(.$option($($value)?))*
            ),+];

            fn from_values(fields: Vec<$crate::form::FieldValue<$file>>) -> Option<Self> {
                let mut fields = fields.into_iter();
                Some(Self {
                    $($field: <$type as $crate::form::FieldType<$file>>::from_value(fields.next()?)?,)+
                })
            }
        }
    };
}
pub(crate) use form;

#[cfg(test)]
mod tests {
    use super::{FieldKind, FieldValue, FromForm, RequiredFiles};
    use crate::id::UserId;

    form! {
        /// A form.
        pub struct Example<F> {
            user_id: Option<UserId>,
            /// Two lines
            /// of text.
            name: String => max_chars(7) secret(),
            tags: Vec<String>,
            is_new: bool,
            files: RequiredFiles<F>,
        }
    }

    #[test]
    fn a_struct_declares_its_form() {
        let spec = Example::<()>::SPEC;
        let names: Vec<_> = spec.iter().map(|field| (field.name, field.kind)).collect();
        let text = |required| FieldKind::Text { required };
        let files = FieldKind::Files { required: true };
        let expected = [
            ("user_id", text(false)),
            ("name", text(true)),
            ("tags", FieldKind::Texts),
            ("is_new", FieldKind::Boolean { required: true }),
            ("files", files),
        ];
        assert_eq!(names, expected);
        assert_eq!(spec[0].max_chars, 255);
        assert_eq!((spec[1].max_chars, spec[1].is_secret), (7, true));
        assert_eq!(spec[1].about, "Two lines of text.");
    }

    #[test]
    fn received_fields_fill_it() {
        let received = |user: &str| {
            vec![
                FieldValue::Text(Some(user.to_owned())),
                FieldValue::Text(Some(String::new())),
                FieldValue::Texts(vec!["a".to_owned()]),
                FieldValue::Boolean(Some(true)),
                FieldValue::Files(vec![5]),
            ]
        };
        let form = Example::from_values(received("")).expect("it is as declared");
        assert_eq!((form.user_id, form.name.as_str()), (None, ""));
        assert_eq!(
            (form.tags, form.is_new, form.files.0),
            (vec!["a".to_owned()], true, vec![5])
        );
        let mut wrong = received("");
        wrong.swap(3, 4);
        assert!(Example::from_values(wrong).is_none());
        let mut short = received("");
        short.pop();
        assert!(Example::from_values(short).is_none());
    }
}
