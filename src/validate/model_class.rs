//! pydantic classes as the rules see them: fields with alias and annotation, and which class is
//! the contract's input or output.

use super::subject::{SourceFile, Subject};
use crate::contract::model::Model;
use crate::python::facts::Class;
use crate::python::{Place, inside};

/// A field of a model class.
#[derive(Debug, Clone, Copy)]
pub(super) struct ModelField<'a> {
    /// Name of the attribute.
    pub(super) name: &'a str,
    /// Alias under which data has it.
    pub(super) alias: Option<&'a str>,
    /// Annotation.
    pub(super) annotation: &'a str,
    /// Whether data must have it.
    pub(super) required: bool,
    /// Where it stands.
    pub(super) place: Place,
}

/// A class and the file it is in.
#[derive(Debug, Clone, Copy)]
pub(super) struct ModelClass<'a> {
    /// The file.
    pub(super) file: &'a SourceFile,
    /// The class.
    pub(super) class: &'a Class,
}

impl<'a> ModelClass<'a> {
    /// Its fields in order.
    pub(super) fn fields(&self) -> Vec<ModelField<'a>> {
        let module = &self.file.module;
        let own = inside(&module.assignments, self.class.place, |it| it.place);
        let own = own.iter().filter(|it| it.is_name && it.operator.is_none());
        own.filter(|it| it.site.function.is_none())
            .filter_map(|it| {
                let name = module.text(it.target);
                let call = it.value.and_then(|value| module.call_at(value.place));
                let alias = call.and_then(|call| module.keyword(call, "alias"));
                let alias = alias.map(|text| text.trim_matches(['"', '\'']));
                let annotation = module.text(it.annotation?);
                let is_field = call.is_some_and(|it| it.path.as_deref() == Some("pydantic.Field"));
                let first = call.and_then(|it| it.arguments.first());
                let default = first.filter(|it| it.name.is_none());
                let given = default.map(|it| module.text(it.value.place));
                let given = given.or_else(|| module.keyword(call?, "default"));
                let has_factory =
                    call.is_some_and(|it| module.keyword(it, "default_factory").is_some());
                let lacks = matches!(given, None | Some("...")) && !has_factory;
                let required = it.value.is_none() || (is_field && lacks);
                let is_variable = annotation.contains("ClassVar");
                let field = ModelField { name, alias, annotation, required, place: it.place };
                (!is_variable).then_some(field)
            })
            .collect()
    }

    /// The field that holds a field of the contract.
    pub(super) fn field(&self, declared: &str) -> Option<ModelField<'a>> {
        let fields = self.fields();
        let aliased = fields.iter().find(|it| it.alias == Some(declared));
        aliased.or_else(|| fields.iter().find(|it| it.name == declared)).copied()
    }
}

/// The last part of a base class expression without its type arguments: `NodeCompute` of
/// `nodes.NodeCompute[A, B]`.
pub(super) fn base_name(text: &str) -> &str {
    let plain = text.split(['[', '(']).next().unwrap_or(text).trim();
    plain.rsplit('.').next().unwrap_or(plain)
}

/// Whether a class has a base of this name.
pub(super) fn has_base(file: &SourceFile, class: &Class, name: &str) -> bool {
    class.bases.iter().any(|base| base_name(file.module.text(*base)) == name)
}

/// The class for the contract's input or output: by the name that the contract gives, else the one
/// of the model file that ends in `_input` or `_output`.
pub(super) fn find<'a>(subject: &'a Subject, model: &Model, role: &str) -> Option<ModelClass<'a>> {
    let named = model.class_name.as_deref();
    let classes = || {
        subject.production().filter(|file| file.module.is_valid()).flat_map(|file| {
            file.module.classes.iter().map(move |class| ModelClass { file, class })
        })
    };
    let suffix = format!("_{role}");
    // a contract may take in what another node gives: that name is not the one of its own output
    let other = if role == "input" { "_output" } else { "_input" };
    let is_named = |it: &ModelClass<'_>| {
        Some(it.class.name.as_str()) == named && !it.file.stem().ends_with(other)
    };
    classes().find(is_named).or_else(|| {
        classes().find(|it| {
            it.file.path.starts_with("models/")
                && it.file.stem().ends_with(&suffix)
                && has_base(it.file, it.class, "BaseModel")
        })
    })
}
