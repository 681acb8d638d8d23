//! Node kinds and fields of tree-sitter-python as enums, so that the walk compares numbers and the
//! compiler checks the names. Kinds that nothing asks about are [`Kind::Other`].

use std::sync::LazyLock;

use tree_sitter::{Language, Node};

/// Declares an enum with the grammar's name of each variant.
macro_rules! names {
    ($(#[$doc:meta])* $type:ident { $($variant:ident = $name:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub(super) enum $type { $($variant,)* Other }
        impl $type {
            fn named(name: &str) -> Self {
                match name { $($name => Self::$variant,)* _ => Self::Other }
            }
        }
    };
}

names! {
    /// Kind of a node; tokens are those of punctuation that the walk needs.
    Kind {
        AsPattern = "as_pattern",
        AsPatternTarget = "as_pattern_target",
        AssertStatement = "assert_statement",
        Assignment = "assignment",
        Async = "async",
        Attribute = "attribute",
        AugmentedAssignment = "augmented_assignment",
        Await = "await",
        BinaryOperator = "binary_operator",
        Block = "block",
        BooleanOperator = "boolean_operator",
        BreakStatement = "break_statement",
        Call = "call",
        CaseClause = "case_clause",
        CasePattern = "case_pattern",
        ClassDefinition = "class_definition",
        ClassPattern = "class_pattern",
        Close = ")",
        CloseBrace = "}",
        CloseBracket = "]",
        Colon = ":",
        Comment = "comment",
        ComparisonOperator = "comparison_operator",
        ConcatenatedString = "concatenated_string",
        ConditionalExpression = "conditional_expression",
        ContinueStatement = "continue_statement",
        DecoratedDefinition = "decorated_definition",
        Decorator = "decorator",
        DefaultParameter = "default_parameter",
        Dictionary = "dictionary",
        DictionaryComprehension = "dictionary_comprehension",
        DictionarySplat = "dictionary_splat",
        DictionarySplatPattern = "dictionary_splat_pattern",
        DottedName = "dotted_name",
        ElifClause = "elif_clause",
        Ellipsis = "ellipsis",
        ElseClause = "else_clause",
        ExceptClause = "except_clause",
        ExecStatement = "exec_statement",
        ExpressionStatement = "expression_statement",
        False = "false",
        FinallyClause = "finally_clause",
        Float = "float",
        ForInClause = "for_in_clause",
        ForStatement = "for_statement",
        FunctionDefinition = "function_definition",
        FutureImportStatement = "future_import_statement",
        GeneratorExpression = "generator_expression",
        GlobalStatement = "global_statement",
        Identifier = "identifier",
        IfClause = "if_clause",
        IfStatement = "if_statement",
        ImportFromStatement = "import_from_statement",
        ImportStatement = "import_statement",
        Integer = "integer",
        Interpolation = "interpolation",
        KeywordArgument = "keyword_argument",
        KeywordPattern = "keyword_pattern",
        KeywordSeparator = "keyword_separator",
        Lambda = "lambda",
        LambdaParameters = "lambda_parameters",
        LineContinuation = "line_continuation",
        List = "list",
        ListComprehension = "list_comprehension",
        ListSplat = "list_splat",
        ListSplatPattern = "list_splat_pattern",
        MatchStatement = "match_statement",
        Module = "module",
        NamedExpression = "named_expression",
        None = "none",
        NonlocalStatement = "nonlocal_statement",
        NotOperator = "not_operator",
        Open = "(",
        OpenBrace = "{",
        OpenBracket = "[",
        Pair = "pair",
        Parameters = "parameters",
        ParenthesizedExpression = "parenthesized_expression",
        PassStatement = "pass_statement",
        PrintStatement = "print_statement",
        RaiseStatement = "raise_statement",
        ReturnStatement = "return_statement",
        Semicolon = ";",
        Set = "set",
        SetComprehension = "set_comprehension",
        SplatPattern = "splat_pattern",
        String = "string",
        StringEnd = "string_end",
        StringStart = "string_start",
        Subscript = "subscript",
        True = "true",
        TryStatement = "try_statement",
        Tuple = "tuple",
        TuplePattern = "tuple_pattern",
        Type = "type",
        TypeAliasStatement = "type_alias_statement",
        TypeParameter = "type_parameter",
        TypedDefaultParameter = "typed_default_parameter",
        TypedParameter = "typed_parameter",
        UnaryOperator = "unary_operator",
        UnionType = "union_type",
        WhileStatement = "while_statement",
        WildcardImport = "wildcard_import",
        WithStatement = "with_statement",
        Yield = "yield",
    }
}

names! {
    /// The role of a child in its parent.
    Field {
        Alias = "alias",
        Alternative = "alternative",
        Arguments = "arguments",
        Attribute = "attribute",
        Body = "body",
        Condition = "condition",
        Consequence = "consequence",
        Definition = "definition",
        Function = "function",
        Guard = "guard",
        Key = "key",
        Left = "left",
        ModuleName = "module_name",
        Name = "name",
        Object = "object",
        Operator = "operator",
        Operators = "operators",
        Parameters = "parameters",
        ReturnType = "return_type",
        Right = "right",
        Superclasses = "superclasses",
        Type = "type",
        TypeParameters = "type_parameters",
        Value = "value",
    }
}

struct Tables {
    kinds: Vec<Kind>,
    fields: Vec<Field>,
    /// The grammar's number of each field, by the variant's own.
    field_ids: Vec<u16>,
}

static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    let language = Language::from(tree_sitter_python::LANGUAGE);
    let kind = |id: usize| {
        let id = u16::try_from(id).unwrap_or(u16::MAX);
        let name = language.node_kind_for_id(id).unwrap_or("");
        let token = !language.node_kind_is_named(id);
        let is_word = name.starts_with(|c: char| c.is_alphabetic());
        // the keyword `lambda` is a token of the same name as the node it begins
        if token && is_word && name != "async" { Kind::Other } else { Kind::named(name) }
    };
    let field = |id: usize| {
        let id = u16::try_from(id).unwrap_or(u16::MAX);
        language.field_name_for_id(id).map_or(Field::Other, Field::named)
    };
    let fields: Vec<Field> = (0..=language.field_count()).map(field).collect();
    let mut field_ids = vec![0; Field::Other as usize + 1];
    for (id, field) in (0_u16..).zip(&fields).filter(|(_, field)| **field != Field::Other) {
        if let Some(slot) = field_ids.get_mut(*field as usize) {
            *slot = id;
        }
    }
    Tables { kinds: (0..language.node_kind_count()).map(kind).collect(), fields, field_ids }
});

impl Kind {
    /// The kind of a node.
    pub(super) fn of(node: Node<'_>) -> Self {
        TABLES.kinds.get(usize::from(node.kind_id())).copied().unwrap_or(Self::Other)
    }

    /// Whether it is one of the four comprehensions.
    pub(super) fn is_comprehension(self) -> bool {
        matches!(
            self,
            Self::ListComprehension
                | Self::SetComprehension
                | Self::DictionaryComprehension
                | Self::GeneratorExpression
        )
    }
}

impl Field {
    /// The field of a cursor's node in its parent.
    pub(super) fn of(id: Option<std::num::NonZeroU16>) -> Self {
        id.and_then(|id| TABLES.fields.get(usize::from(id.get())).copied()).unwrap_or(Self::Other)
    }

    /// The child of a node in this field.
    pub(super) fn child<'t>(self, node: Node<'t>) -> Option<Node<'t>> {
        node.child_by_field_id(*TABLES.field_ids.get(self as usize)?)
    }
}
